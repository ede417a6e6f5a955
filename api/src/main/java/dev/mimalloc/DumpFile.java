package dev.mimalloc;

import dev.mimalloc.core.report.Dump;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Objects;

/** The heap as JSON, in a file. */
final class DumpFile {
    /** For some hundred pages; a larger heap is dumped again, into more. */
    private static final long FIRST_SIZE = 64 << 10;
    private static final int GROWTH = 4;
    /** One buffer has not much more; that is the text of more than 1 TiB in the smallest pages. */
    private static final long LAST_SIZE = 1 << 30;

    static {
        Boot.ready();
    }

    private DumpFile() {}

    /** Writes a dump to a file, which is made or replaced if there are no options. */
    static void write(Path file, OpenOption... options) throws IOException {
        Objects.requireNonNull(file, "file");
        for (long size = FIRST_SIZE;; size *= GROWTH) {
            // The memory comes from elsewhere: it is not to be seen in what it is for.
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment text = arena.allocate(size);
                if (Dump.into(text.address(), size)) {
                    write(file, text.asSlice(0, length(text)), options);
                    return;
                }
            }
            if (size == LAST_SIZE) throw new OutOfMemoryError("no memory for a dump of the heap");
        }
    }

    /** Of what ends with a byte of 0. */
    private static long length(MemorySegment text) {
        long length = 0;
        while (text.get(ValueLayout.JAVA_BYTE, length) != 0) length++;
        return length;
    }

    private static void write(Path file, MemorySegment text, OpenOption... options) throws IOException {
        try (var out = Files.newOutputStream(file, options); var channel = Channels.newChannel(out)) {
            for (var left = text.asByteBuffer(); left.hasRemaining();) channel.write(left);
        } catch (IOException e) {
            throw new IOException("cannot write a dump to " + file + ": " + e, e);
        }
    }
}
