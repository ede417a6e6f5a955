package dev.mimalloc.arrow;

import static dev.mimalloc.arrow.Ours.assertEmpty;
import static dev.mimalloc.arrow.Ours.assertOurs;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables through Arrow's two formats, each with an allocator of its own. */
class IpcTest {
    private static final int[] BATCHES = {1, 0, 1000, 77};

    @Test
    void streamRoundTrip() throws IOException {
        byte[] stream = stream();
        try (RootAllocator root = Ours.root();
                ArrowStreamReader reader = new ArrowStreamReader(new ByteArrayInputStream(stream), root)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            for (int rows : BATCHES) {
                assertThat(reader.loadNextBatch()).isTrue();
                assertOurs(table);
                Tables.assertFilled(table, 0, rows);
            }
            assertThat(reader.loadNextBatch()).isFalse();
        }
    }

    @Test
    void fileRoundTrip(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("table.arrow");
        try (RootAllocator root = Ours.root();
                VectorSchemaRoot table = VectorSchemaRoot.create(Tables.SCHEMA, root);
                FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                ArrowFileWriter writer = new ArrowFileWriter(table, null, channel)) {
            for (int rows : BATCHES) {
                Tables.fill(table, rows);
                writer.writeBatch();
                table.clear();
            }
        }
        try (RootAllocator root = Ours.root();
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                ArrowFileReader reader = new ArrowFileReader(channel, root)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            var blocks = reader.getRecordBlocks();
            assertThat(blocks).hasSize(BATCHES.length);
            for (int batch = BATCHES.length - 1; batch >= 0; batch--) {
                assertThat(reader.loadRecordBatch(blocks.get(batch))).isTrue();
                assertOurs(table);
                Tables.assertFilled(table, 0, BATCHES[batch]);
            }
        }
    }

    @Test
    void aStreamThatEndsTooEarlyLeavesNothing() throws IOException {
        byte[] stream = stream();
        for (int length = 0; length < stream.length; length += 1 + stream.length / 40) {
            byte[] part = Arrays.copyOf(stream, length);
            try (RootAllocator root = Ours.root()) {
                try (ArrowStreamReader reader = new ArrowStreamReader(new ByteArrayInputStream(part), root)) {
                    for (int batch = 0; batch < BATCHES.length; batch++) reader.loadNextBatch();
                } catch (IOException | RuntimeException e) {
                    assertThat(e).isNotInstanceOf(OutOfMemoryException.class);
                }
                assertEmpty(root);
            }
        }
    }

    @Test
    void aReaderWithTooLittleMemoryLeavesNothing() throws IOException {
        byte[] stream = stream();
        try (RootAllocator root = Ours.root(1 << 12)) {
            try (ArrowStreamReader reader = new ArrowStreamReader(new ByteArrayInputStream(stream), root)) {
                assertThatThrownBy(() -> {
                    for (int batch = 0; batch < BATCHES.length; batch++) reader.loadNextBatch();
                }).isInstanceOf(OutOfMemoryException.class);
            }
            assertEmpty(root);
        }
    }

    private static byte[] stream() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (RootAllocator root = Ours.root();
                VectorSchemaRoot table = VectorSchemaRoot.create(Tables.SCHEMA, root);
                ArrowStreamWriter writer = new ArrowStreamWriter(table, null, Channels.newChannel(bytes))) {
            for (int rows : BATCHES) {
                Tables.fill(table, rows);
                writer.writeBatch();
                table.clear();
            }
            writer.end();
        }
        return bytes.toByteArray();
    }
}
