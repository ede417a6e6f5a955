package dev.mimalloc.bench.jvm;

import java.util.ArrayList;
import java.util.List;

/** What is compared with what. */
final class Rows {
    private static final int[] THREADS = {2, 4, 8};

    private Rows() {}

    /** The comparisons that have a goal; the quick ones leave out the sizes in the middle. */
    static List<Row> goals(boolean quick) {
        var rows = new ArrayList<Row>();
        for (int size : quick ? new int[] {16, 1024} : new int[] {16, 64, 256, 1024}) {
            Contender unsafe = pair("Unsafe", "unsafe", size), loop = pair("a loop in C", "cLoop", size);
            rows.add(Row.of("pair of " + size + ", handle", pair("handle", "handle", size), unsafe).atMost(0.20));
            rows.add(Row.of("pair of " + size, pair("malloc", "mimalloc", size), unsafe).atMost(0.30));
            rows.add(Row.of("pair of " + size + ", handle", pair("handle", "handle", size), loop).atMost(1.00));
        }
        for (int size : quick ? new int[] {64} : new int[] {64, 1024}) {
            rows.add(arena("confined arena of " + size, "confined", "Confined", size).atMost(0.20));
        }
        for (int size : quick ? new int[] {256} : new int[] {256, 4096}) {
            Row netty = netty(size).atMost(0.60);
            rows.add(netty);
            // Netty's own share is the same for all: at its usual level the stack of one buffer in 128.
            rows.add(netty.all(", not tracked", c -> c.with("-Dio.netty.leakDetection.level=disabled")));
        }
        rows.add(arrow(1024).atMost(0.50));
        return rows;
    }

    private static Row arena(String name, String ours, String jdk, int size) {
        return Row.of(name, Contender.of(ours, "ArenaLife." + ours, "size=" + size),
                Contender.of("Arena.of" + jdk.replace("Escaping", "") + "()", "ArenaLife.jdk" + jdk, "size=" + size));
    }

    private static Row arrow(int size) {
        return Row.of("Arrow buffer(" + size + ")", arrow("mimalloc", size), arrow("netty", size));
    }

    private static Contender arrow(String manager, int size) {
        return Contender.of(manager, "ArrowBuffers.buffer", "size=" + size, "manager=" + manager);
    }

    private static Row netty(int size) {
        return Row.of("Netty directBuffer(" + size + ")", netty("mimalloc", size), netty("adaptive", size),
                netty("pooled", size));
    }

    private static Contender netty(String allocator, int size) {
        return Contender.of(allocator, "NettyBuffers.direct", "size=" + size, "allocator=" + allocator);
    }

    /** All comparisons; those that have a goal come first. */
    static List<Row> all() {
        var rows = goals(false);
        for (int size : new int[] {16, 64, 256, 1024}) pairs(rows, size);
        for (int size : new int[] {4096, 65536}) {
            rows.add(Row.of("pair of " + size, pair("malloc", "mimalloc", size), pair("Unsafe", "unsafe", size)));
            pairs(rows, size);
        }
        threads(rows, Row.of("pair of 64, handle", pair("handle", "handle", 64), pair("Unsafe", "unsafe", 64)));
        threads(rows, Row.of("pair of 64", pair("malloc", "mimalloc", 64), pair("Unsafe", "unsafe", 64)));
        loads(rows);
        platform(rows, netty(256)); // its threads are Netty's own
        rows.add(arrow(65536));
        platform(rows, arrow(1024));
        for (int size : new int[] {64, 1024}) {
            rows.add(arena("confined arena of " + size, "confinedUninitialized", "Confined", size));
            rows.add(arena("confined arena, escaping " + size, "confinedEscaping", "ConfinedEscaping", size));
            rows.add(arena("shared arena of " + size, "shared", "Shared", size));
            rows.add(arena("automatic arena of " + size, "auto", "Auto", size));
        }
        both(rows, arena("confined arena of 64", "confined", "Confined", 64));
        segments(rows);
        requests(rows);
        return rows;
    }

    private static Contender pair(String label, String method, int size) {
        return Contender.of(label, "Pairs." + method, "size=" + size);
    }

    private static void pairs(List<Row> rows, int size) {
        Contender ours = pair("malloc", "mimalloc", size);
        rows.add(Row.of("pair of " + size, ours, pair("the JDK's own Unsafe", "internalUnsafe", size)));
        rows.add(Row.of("pair of " + size, ours, pair("libc by FFM", "libc", size)));
        rows.add(Row.of("pair of " + size, ours, pair("C mimalloc by FFM", "cMimalloc", size)));
        rows.add(Row.of("pair of " + size + ", Heap", pair("Heap.malloc", "heap", size), ours));
    }

    private static void platform(List<Row> rows, Row row) {
        for (int threads : THREADS) rows.add(row.all(", " + threads + " threads", c -> c.on(threads)));
    }

    private static Row virtual(Row row, int threads) {
        return row.all(", " + threads + " virtual", c -> c.on(threads).virtual());
    }

    private static void threads(List<Row> rows, Row row) {
        platform(rows, row);
        rows.add(virtual(row, 1));
        for (int threads : THREADS) rows.add(virtual(row, threads));
    }

    /** The platform's threads, and of the virtual ones the most. */
    private static void both(List<Row> rows, Row row) {
        platform(rows, row);
        rows.add(virtual(row, THREADS[THREADS.length - 1]));
    }

    /** Loads that are the same for each allocator. */
    private static void loads(List<Row> rows) {
        for (String size : List.of("size=64", "size=1024")) {
            rows.addAll(load("LIFO batch, " + size, "Batches.lifo", size));
            rows.addAll(load("FIFO batch, " + size, "Batches.fifo", size));
        }
        for (String live : List.of("live=1000", "live=100000")) {
            rows.addAll(load("replacement, " + live, "Replacement.replace", live));
        }
        both(rows, load("LIFO batch", "Batches.lifo", "size=64").getFirst());
        both(rows, load("replacement", "Replacement.replace", "live=1000").getFirst());
        List<Row> handover = load("freed by another thread", "CrossThread.handover", "size=64");
        for (Row row : handover) rows.add(row.all("", c -> c.on(2)));
        for (int threads : new int[] {4, 8}) {
            rows.add(handover.getFirst().all(", " + threads + " threads", c -> c.on(threads)));
        }
        rows.add(virtual(handover.getFirst(), 2));
    }

    private static List<Row> load(String name, String benchmark, String parameter) {
        Contender ours = Contender.of("malloc", benchmark, parameter, "allocator=mimalloc");
        return List.of(Row.of(name, ours, Contender.of("Unsafe", benchmark, parameter, "allocator=unsafe")),
                Row.of(name, ours, Contender.of("libc by FFM", benchmark, parameter, "allocator=libc")),
                Row.of(name, ours, Contender.of("C mimalloc by FFM", benchmark, parameter, "allocator=c")));
    }

    private static void segments(List<Row> rows) {
        for (String size : List.of("size=64", "size=1024")) {
            Contender segment = Contender.of("segment", "Segments.segment", size);
            Contender jdkBuffer = Contender.of("allocateDirect, cleaned", "Segments.jdkBuffer", size);
            Row inAnArena = Row.of("segment, " + size, segment,
                    Contender.of("Arena.ofConfined()", "ArenaLife.jdkConfined", size));
            rows.add(inAnArena);
            if (size.equals("size=64")) both(rows, inAnArena);
            rows.add(Row.of("segment, " + size, segment, jdkBuffer));
            rows.add(Row.of("segment that stays, " + size,
                    Contender.of("segment", "Segments.segmentThatStays", size), segment));
            rows.add(Row.of("segment of a heap, " + size, Contender.of("heap", "Segments.heapSegment", size), segment));
            rows.add(Row.of("buffer, " + size, Contender.of("allocateBuffer", "Segments.buffer", size), jdkBuffer,
                    Contender.of("allocateDirect, collected", "Segments.jdkBufferCollected", size)));
        }
    }

    private static void requests(List<Row> rows) {
        Contender confined = Contender.of("Arena.ofConfined()", "Requests.jdkConfined");
        Row heap = Row.of("request", Contender.of("heap, addresses", "Requests.heapAddresses"), confined);
        rows.add(heap);
        both(rows, heap);
        rows.add(Row.of("request", Contender.of("heap, segments", "Requests.heapSegments"), confined));
        rows.add(Row.of("request", Contender.of("confined", "Requests.confined"), confined));
        rows.add(Row.of("request", Contender.of("shared", "Requests.shared"),
                Contender.of("Arena.ofShared()", "Requests.jdkShared")));
    }
}
