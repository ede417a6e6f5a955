package dev.mimalloc.tools.view;

import dev.mimalloc.Mimalloc;
import java.io.IOException;
import java.nio.file.Path;

/** A Java program that dumps its heap, and ends when its input does. */
final class DumpedProgram {
    static final int LIVE = 10_000;

    private DumpedProgram() {}

    public static void main(String[] args) throws IOException {
        long[] blocks = new long[2 * LIVE];
        for (int i = 0; i < blocks.length; i++) blocks[i] = Mimalloc.malloc(1000);
        for (int i = 0; i < blocks.length; i += 2) Mimalloc.free(blocks[i]);
        Mimalloc.malloc(8 << 20);
        Mimalloc.dump(Path.of(args[0]));
        System.out.println("dumped");
        while (System.in.read() >= 0) Thread.onSpinWait();
    }
}
