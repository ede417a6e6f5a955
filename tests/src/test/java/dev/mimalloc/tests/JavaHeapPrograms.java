package dev.mimalloc.tests;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** Programs for JVMs with a Java heap that is small, full, never collected, or collected all the time. */
final class JavaHeapPrograms {
    private static List<Object> ballast;

    public static void main(String[] arguments) throws Exception {
        // What prints a failure is loaded now: a class of the JDK that meets a full heap in its initialiser is lost for good.
        new AssertionError("", new Error()).printStackTrace(new PrintStream(OutputStream.nullOutputStream()));
        switch (arguments[0]) {
            case "neverCollected" -> neverCollected();
            case "alwaysCollected" -> alwaysCollected();
            case "full" -> full();
            case "firstCallFull" -> firstCallFull();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("done");
    }

    /** Millions of blocks, and a thousand threads whose ends are noticed: no object is made for a block. */
    private static void neverCollected() throws Exception {
        long[] blocks = new long[1000];
        for (int round = 0; round < 5000; round++) {
            for (int i = 0; i < blocks.length; i++) blocks[i] = Mimalloc.malloc((round * 7L + i * 13L) % 2000);
            for (long block : blocks) Mimalloc.free(block);
        }
        try (Heap heap = Heap.create()) {
            Heap.Local local = heap.local();
            for (int i = 0; i < 2_000_000; i++) Mimalloc.free(Mimalloc.realloc(local.zalloc(i % 500), i % 700));
        }
        for (int i = 0; i < 1000; i++) {
            Thread thread = Thread.ofPlatform().start(() -> {
                for (int j = 0; j < 100; j++) Mimalloc.free(Mimalloc.malloc(j * 50L));
                Mimalloc.malloc(100); // left behind
            });
            thread.join();
        }
        Invariants.check(); // waits for their ends
        long theaps = Heap.main().statistics().theaps().current();
        if (theaps > 16) throw new AssertionError("theaps: " + theaps);
    }

    private static void alwaysCollected() throws Exception {
        var over = new AtomicBoolean();
        Thread collector = Thread.ofPlatform().start(() -> {
            while (!over.get()) System.gc();
        });
        Threads.run(3, number -> {
            for (int round = 0; round < 8; round++) {
                try (Heap heap = Heap.create(); Arena confined = Arenas.ofConfined()) {
                    MemorySegment kept = null;
                    for (int i = 0; i < 200; i++) {
                        MemorySegment automatic = Arenas.ofAuto().allocate(16 + i * 8L, 8).fill((byte) i);
                        if (i % 50 == 0) kept = automatic;
                        heap.allocate(i * 10L, 8).fill((byte) -1);
                        confined.allocate(i * 10L, 8).fill((byte) -1);
                        Mimalloc.free(Mimalloc.malloc(i));
                        byte first = kept.get(ValueLayout.JAVA_BYTE, 0);
                        if (first != (byte) (i / 50 * 50)) throw new AssertionError("a segment that is in use is gone");
                    }
                }
            }
        });
        over.set(true);
        collector.join();
        Mimalloc.collect(true);
        Arenas.ofAuto().allocate(1, 1);
        // A cleaner may be at work until all automatic arenas have gone.
        Eventually.that(() -> {
            System.gc();
            return Heap.main().statistics().mallocNormal().current() < 1 << 20;
        }, () -> Heap.main().statistics().toText());
        Invariants.check();
    }

    /** Calls of all kinds on a platform thread and on virtual ones, while the Java heap has no byte left. */
    private static void full() throws Exception {
        for (int round = 0; round < 2; round++) {
            var failure = new AtomicReference<Throwable>();
            Runnable work = () -> {
                try {
                    fullCalls(2);
                } catch (Throwable t) {
                    ballast = null;
                    failure.set(t);
                }
            };
            Thread thread = round % 2 == 0 ? Thread.ofPlatform().start(work) : Thread.startVirtualThread(work);
            thread.join();
            if (failure.get() != null) throw new AssertionError(failure.get());
            Invariants.check();
        }
        firstCalls();
        long[] left = {0};
        Heap.main().visit(true, (area, block, size) -> {
            if (block != 0) left[0]++;
            return true;
        });
        // A call that fails has given nothing, and lost nothing.
        if (left[0] != 0) throw new AssertionError(left[0] + " blocks are left");
    }

    /** The allocator is loaded, but nothing was ever allocated when the Java heap is full. */
    private static void firstCallFull() {
        Mimalloc.version();
        var filled = new ArrayList<Object>();
        ballast = filled;
        fill(filled);
        for (int i = 0; i < 5; i++) {
            try {
                Mimalloc.free(Mimalloc.malloc(100));
            } catch (OutOfMemoryError e) {
                // there may be no room to note the thread's theap
            }
        }
        ballast = null;
        filled.clear();
        Mimalloc.free(Mimalloc.malloc(100));
        Invariants.check(); // no slice is lost
    }

    /** Threads whose first call comes when there is no Java heap to note the thread's theap in. */
    private static void firstCalls() throws Exception {
        for (int round = 0; round < 8; round++) {
            var go = new AtomicBoolean();
            Thread thread = Thread.ofPlatform().start(() -> {
                while (!go.get()) Thread.onSpinWait();
                try {
                    Mimalloc.free(Mimalloc.malloc(100));
                } catch (OutOfMemoryError e) {
                    // It may happen or not: the thread may have a little Java heap in reserve.
                }
                ballast = null;
            });
            var filled = new ArrayList<Object>();
            ballast = filled;
            fill(filled);
            filled = null;
            go.set(true);
            thread.join();
        }
        Invariants.check();
    }

    private static void fullCalls(int rounds) {
        var calls = new Calls();
        for (int i = 0; i < 1000; i++) Calls.ALL.get(i % Calls.ALL.size()).make(calls, i);
        int refused = 0;
        int seed = 1;
        for (int round = 0; round < rounds; round++) {
            var filled = new ArrayList<Object>();
            ballast = filled;
            fill(filled);
            for (int i = 0; i < 200; i++) {
                seed = seed * 1_103_515_245 + 12_345;
                int random = seed >>> 8;
                if (i % 25 == 24) fill(filled);
                try {
                    Calls.ALL.get(random % Calls.ALL.size()).make(calls, random / 32);
                } catch (OutOfMemoryError e) {
                    refused++;
                }
            }
            ballast = null;
            filled.clear();
            Invariants.check();
        }
        calls.end();
        if (refused < 10) throw new AssertionError("the Java heap was never full: " + refused);
    }

    /** Takes the Java heap to the last bytes. */
    private static void fill(List<Object> filled) {
        for (int size = 1 << 20; size >= 16; size /= 16) {
            try {
                while (true) filled.add(new byte[size - 16]);
            } catch (OutOfMemoryError e) {
                // smaller ones may still fit
            }
        }
    }

    private JavaHeapPrograms() {}
}
