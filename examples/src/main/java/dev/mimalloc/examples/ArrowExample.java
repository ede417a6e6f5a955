package dev.mimalloc.examples;

import dev.mimalloc.Mimalloc;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;

/** A table of Apache Arrow goes through Arrow's stream format and back, in memory that Arrow has found by itself. */
public final class ArrowExample {
    private static final int ROWS = 100_000;

    public static void main(String[] arguments) throws IOException {
        try (BufferAllocator allocator = new RootAllocator()) { // its close complains of any buffer that is left
            byte[] stream = write(allocator);
            read(stream, allocator);
            System.out.printf("stream: %,d bytes, buffers: %,d%n", stream.length, allocator.getPeakMemoryAllocation());
        }
        System.out.println("all buffers have been released");
    }

    private static byte[] write(BufferAllocator allocator) throws IOException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try (VarCharVector station = new VarCharVector("station", allocator);
                Float8Vector celsius = new Float8Vector("celsius", allocator);
                VectorSchemaRoot table = VectorSchemaRoot.of(station, celsius);
                ArrowStreamWriter writer = new ArrowStreamWriter(table, null, stream)) {
            for (int row = 0; row < ROWS; row++) { // the vectors grow as they must
                station.setSafe(row, ("station " + row % 50).getBytes(StandardCharsets.UTF_8));
                celsius.setSafe(row, 15 + 10 * Math.sin(row));
            }
            table.setRowCount(ROWS);
            writer.writeBatch();
        }
        return stream.toByteArray();
    }

    private static void read(byte[] stream, BufferAllocator allocator) throws IOException {
        try (ArrowStreamReader reader = new ArrowStreamReader(new ByteArrayInputStream(stream), allocator)) {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            while (reader.loadNextBatch()) {
                Float8Vector celsius = (Float8Vector) table.getVector("celsius");
                double sum = 0;
                for (int row = 0; row < table.getRowCount(); row++) sum += celsius.get(row);
                boolean ours = table.getFieldVectors().stream().flatMap(column -> Stream.of(column.getBuffers(false)))
                        .allMatch(buffer -> Mimalloc.contains(buffer.memoryAddress()));
                System.out.printf("%,d rows read: %.2f °C on average, %s%n", ROWS, sum / table.getRowCount(),
                        ours ? "all buffers from mimalloc" : "but Arrow has found another allocator");
            }
        }
    }
}
