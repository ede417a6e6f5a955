package dev.mimalloc.tests;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicReference;

/** Programs whose first calls come at a bad moment. */
final class FirstCallPrograms {
    /** What no memory that was there from the start can serve. */
    private static final long LARGE = 64 << 20;

    private FirstCallPrograms() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "one" -> one();
            case "largeWithFullHeap" -> largeWithFullHeap();
            case "largeWithFullStack" -> largeWithFullStack();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("done");
    }

    private static void one() {
        Mimalloc.free(Mimalloc.malloc(64));
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void largeWithFullHeap() {
        Mimalloc.version();
        var filled = new ArrayList<Object>();
        for (int size = 1 << 20; size >= 16; size /= 2) {
            try {
                while (true) filled.add(new byte[size - 16]);
            } catch (OutOfMemoryError e) {
                // smaller ones may still fit
            }
        }
        for (int i = 0; i < 5; i++) {
            try {
                Mimalloc.free(Mimalloc.malloc(LARGE));
            } catch (OutOfMemoryError e) {
                // the JVM may have no room for what it takes to ask the system
            }
        }
        int objects = filled.size();
        filled.clear();
        System.out.println("the Java heap was full of " + objects + " objects");
        Mimalloc.free(Mimalloc.malloc(LARGE));
        Invariants.check();
    }

    private static void largeWithFullStack() throws InterruptedException {
        Mimalloc.version();
        var failure = new AtomicReference<Throwable>();
        var thread = new Thread(null, FirstCallPrograms::descend, "deep", 256 << 10);
        thread.setUncaughtExceptionHandler((who, thrown) -> failure.set(thrown));
        thread.start();
        thread.join();
        if (failure.get() != null) throw new AssertionError(failure.get());
        Mimalloc.free(Mimalloc.malloc(LARGE));
        Invariants.check();
    }

    /** Tries at each depth, from the end of the stack on the way back up. */
    @SuppressWarnings("InfiniteRecursion") // it wants the end of the stack
    private static void descend() {
        try {
            descend();
        } catch (StackOverflowError e) {
            // here the stack is full: go on in the caller
        }
        try {
            Mimalloc.free(Mimalloc.malloc(LARGE));
        } catch (StackOverflowError e) {
            // it has done nothing
        }
    }
}
