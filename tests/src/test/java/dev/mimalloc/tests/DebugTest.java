package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Heap;
import dev.mimalloc.Leaks;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.machine.Memory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code -Ddev.mimalloc.debug} has at each level; CheckTest is about what the levels check of the allocator. */
class DebugTest {
    private static final long[] SIZES = {1, 15, 16, 24, 100, 1000, 5000, 70_000, 300_000};
    /** The forms of C++, by their numbers in core. */
    private static final int NEW = 1, NEW_ARRAY = 2, ALIGNED = 4;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void blocksAreFilled(int level) throws Exception {
        assertThat(run("fills", "debug=" + level, "leaks=off")).hasSize(SIZES.length).allMatch(line -> line.endsWith(": d0 0 de df"));
    }

    /** What was there stays: a preset that is given is what there is, and 0 is none. */
    @ParameterizedTest
    @ValueSource(strings = {"debug=0", "debug=3"})
    void nothingIsFilledWithout(String level) throws Exception {
        assertThat(run("fills", level, "leaks=off", "harden=0")).hasSize(SIZES.length).noneMatch(line -> line.contains("d0"));
    }

    @Test
    void whatWasAskedForIsCounted() throws Exception {
        assertThat(run("counts", "debug=1", "leaks=off")).containsExactly("100", "4100", "4100", "8300", "8500", "8500",
                "blocks 10", "heap 3000", "of it 15060, then 15060", "15060");
    }

    @Test
    void nothingIsCountedWithout() throws Exception {
        assertThat(run("counts", "debug=0")).contains("0").doesNotContain("100");
    }

    @Test
    void aReportTellsOfTheBlock() throws Exception {
        assertThat(String.join("\n", run("reports", "debug=1", "leaks=off"))).matches("""
                (?s)twice: a block is freed twice: (0x\\w+)
                  block \\1: free
                  its page: blocks of 112 bytes, in use 0; heap 0; thread "main" #\\d+
                  this thread: "main" #\\d+
                by another: a block is freed twice: (0x\\w+)
                  block \\2: freed by another thread
                .*
                in another: a block is freed twice: \\2
                  block \\2: freed by another thread
                  its page: .*; thread "main" #\\d+
                  this thread: "other" #\\d+
                grown: a block is used after it was freed: \\2
                .*
                asked for its size: a block is used after it was freed: \\2
                .*
                inside: invalid pointer, no block begins here: 0x\\w+
                  block (0x\\w+): in use, bytes asked for: 100; the address lies inside, at 8
                .*
                never: invalid pointer, no block begins here: (0x\\w+)
                  block \\4: never allocated
                .*
                past: a block was written to past its end: (0x\\w+)
                  block \\5: in use
                .*
                by a form or past: a block was written to past its end, or is freed by a form that is not its own: (0x\\w+)
                  block \\6: in use, bytes asked for: 111
                .*
                past the form: a block was written to past its end: (0x\\w+)
                  block \\7: in use
                .*
                after: a block was written to after it was freed: (0x\\w+)
                  block \\8: free
                .*
                nowhere: invalid pointer, not allocated here or freed already: 0x1000
                  no page of the allocator is there
                  this thread: "main" #\\d+""");
    }

    /** The tracker of leaks knows them; core finds what is written to a free block. */
    @Test
    void theCausesHaveTheStacks() throws Exception {
        assertThat(String.join("\n", run("stacks", "debug=1"))).matches("""
                (?s)a block was written to after it was freed: 0x\\w+
                .*freed here: by thread main, .*at dev.mimalloc.tests.DebugTest.freeHere\\(.*\
                allocated here: 24 bytes, by thread main, .*at dev.mimalloc.tests.DebugTest.allocateHere\\(.*""");
    }

    /** Core's padding lies behind the tracker's, and both were written to. */
    @Test
    void aLongWritePastTheEndHasTheStackOfTheAllocation() throws Exception {
        assertThat(run("overflows", "debug=1")).containsExactly("written past the end, 0 bytes behind 24 bytes",
                "allocated here: 24 bytes, by thread main");
    }

    @Test
    void aReallocGoesThroughOnceALongWritePastTheEndWasTold() throws Exception {
        assertThat(run("resizes", "debug=1")).containsExactly("written past the end, 0 bytes behind 24 bytes", "7", "1 block");
    }

    @Test
    void aGuardedBlockIsToldOfByItsAddress() throws Exception {
        List<String> lines = run("overflows", "debug=0", "guarded.sample.rate=1");
        assertThat(lines.getFirst()).startsWith("bytes around a block were written to, the block: 0x");
        assertThat(lines.get(1)).isEqualTo("  block " + lines.getFirst().replaceAll(".* ", "") + ": guarded");
    }

    @Test
    void aSecondFreeOfAGuardedBlockTellsOfTheFirst() throws Exception {
        assertThat(String.join("\n", run("guarded twice", "debug=0", "guarded.sample.rate=1"))).matches("""
                twice: a guarded block is freed twice: 0x\\w+
                  the freed block has 24 bytes, and was freed by thread "main" #\\d+
                  this thread: "main" #\\d+""");
    }

    /** An error is an exception, or a result that says so; it is printed where the option says so, whatever the level. */
    @Test
    void errorsAreShownIfAskedFor() throws Exception {
        assertThat(Child.java(DebugTest.class, List.of("debug=1"), "refused").assertSuccess().err()).doesNotContain("mimalloc: error");
        assertThat(Child.java(DebugTest.class, List.of("debug=1", "show.errors=1"), "refused").assertSuccess().err())
                .contains("mimalloc: error: unable to allocate memory");
    }

    @Test
    void whatIsNoLevelIsNone() throws Exception {
        assertThat(run("tracks", "debug=4")).containsExactly("false");
    }

    @Test
    void tracksUnlessAskedNotTo() throws Exception {
        assertThat(run("tracks", "debug=1")).containsExactly("true");
        assertThat(run("tracks", "debug=1", "leaks=off")).containsExactly("false");
        assertThat(run("tracks", "debug=0")).containsExactly("false");
    }

    /** Core knows forms on both machines; only C++ has them. */
    @ParameterizedTest
    @ValueSource(strings = {"debug=1", "secure=4"})
    void aFormThatDoesNotFitIsFound(String property) throws Exception {
        assertThat(run("forms", property, "leaks=off")).containsExactly("free or realloc of a block that is not from malloc: by new",
                "free or realloc of a block that is not from malloc: by new[]", "delete of a block that is not from new: ",
                "delete[] of a block that is not from new[]: by new", "delete of a block that is not from new: by new[]",
                "delete of a block that is not from new: by aligned new",
                "aligned delete of a block that is not from aligned new: by new",
                "aligned delete of a block that is not from aligned new: by new[]",
                "a block is freed with a size that it has not: ", "a block is freed with an alignment that it has not: ",
                "a block was written to past its end: ", "nothing", "nothing", "nothing", "nothing");
    }

    @Test
    void noFormIsKnownWithout() throws Exception {
        assertThat(run("forms", "debug=0", "harden=2")).filteredOn(line -> line.contains("not from")).isEmpty();
    }

    private static List<String> run(String what, String... properties) throws Exception {
        return Child.java(DebugTest.class, List.of(properties), what).assertSuccess().out().lines().toList();
    }

    public static void main(String[] arguments) {
        switch (arguments[0]) {
            case "fills" -> fills();
            case "counts" -> counts();
            case "reports" -> reports();
            case "stacks" -> stacks();
            case "overflows" -> overflows();
            case "resizes" -> resizes();
            case "guarded twice" -> {
                long block = Mimalloc.malloc(24);
                Mimalloc.free(block);
                report("twice", block, Mimalloc::free);
            }
            case "refused" -> {
                try {
                    Mimalloc.malloc(1L << 47);
                } catch (OutOfMemoryError e) {
                    System.out.println("none");
                }
            }
            case "tracks" -> System.out.println(Leaks.isTracking());
            default -> forms();
        }
    }

    private static void overflows() {
        long block = Mimalloc.malloc(24);
        Memory.fill(block + 24, 8 + (Leaks.isTracking() ? 8 : 0), 7);
        try {
            Mimalloc.free(block);
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage().replaceAll(" at .*", ""));
            System.out.println(e.getCause().getMessage().replaceAll(", [^,]* ago", ""));
        } catch (IllegalArgumentException e) {
            System.out.println(e.getMessage());
        }
    }

    private static void resizes() {
        long block = Mimalloc.malloc(24);
        Memory.fill(block, 24 + 16, 7);
        try {
            Mimalloc.realloc(block, 100);
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage().replaceAll(" at .*", ""));
        }
        System.out.println(Memory.getByte(Mimalloc.realloc(block, 100) + 23));
        System.out.println(Leaks.live().getFirst().count() + " block");
    }

    private static void fills() {
        for (long size : SIZES) {
            long other = Mimalloc.malloc(size); // so that the page stays
            long block = Mimalloc.malloc(size);
            String filled = pattern(block, size);
            long zeroed = Mimalloc.zalloc(size);
            String zero = pattern(zeroed, size);
            long padded = Mimalloc.malloc(100); // and 12 bytes
            String padding = pattern(padded + 100, 4);
            Memory.fill(block, size, 7);
            Mimalloc.free(block);
            // A link and a tag are in the first words; smaller blocks have nothing else.
            String freed = size > 16 ? pattern(block + 16, size - 16) : "df";
            System.out.println(size + ": " + filled + " " + zero + " " + padding + " " + freed);
            Mimalloc.free(other);
            Mimalloc.free(zeroed);
        }
    }

    /** The value of all bytes, in hexadecimal; "mixed" where they differ. */
    private static String pattern(long address, long size) {
        int first = Memory.getByte(address);
        for (long i = 0; i < size; i++) if (Memory.getByte(address + i) != first) return "mixed";
        return Integer.toHexString(first);
    }

    private static void counts() {
        long block = Mimalloc.malloc(100);
        say();
        long large = Mimalloc.malloc(4000);
        say();
        block = Mimalloc.realloc(block, 90);
        say();
        large = Mimalloc.realloc(large, 4200);
        say();
        Mimalloc.free(large);
        block = Mimalloc.realloc(block, 200);
        say();
        Mimalloc.free(block);
        say();
        // A list that is filled has more blocks than are asked for.
        long before = Mimalloc.statistics().mallocNormalCount();
        for (int i = 0; i < 10; i++) Mimalloc.free(Mimalloc.malloc(56));
        System.out.println("blocks " + (Mimalloc.statistics().mallocNormalCount() - before));
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < 30; i++) heap.malloc(100);
            System.out.println("heap " + heap.statistics().mallocRequested());
        }
        Heap heap = Heap.create();
        long[] blocks = new long[30];
        for (int i = 0; i < 30; i++) blocks[i] = heap.malloc(100);
        heap.delete();
        System.out.print("of it " + requested());
        for (int i = 0; i < 20; i++) Mimalloc.free(blocks[i]);
        System.out.println(", then " + requested());
        for (int i = 20; i < 30; i++) Mimalloc.free(blocks[i]);
        System.out.println(requested());
    }

    private static long requested() { return Mimalloc.statistics().mallocRequested(); }

    private static void say() { System.out.println(requested()); }

    private static void reports() {
        long block = Mimalloc.malloc(100);
        Mimalloc.free(block);
        report("twice", block, Mimalloc::free);
        long others = Mimalloc.malloc(300);
        CompletableFuture.runAsync(() -> Mimalloc.free(others)).join();
        report("by another", others, Mimalloc::free);
        try {
            Thread.ofPlatform().name("other").start(() -> report("in another", others, Mimalloc::free)).join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        report("grown", others, p -> Mimalloc.realloc(p, 1000));
        report("asked for its size", others, Mimalloc::usableSize);
        block = Mimalloc.malloc(100);
        report("inside", block + 8, Mimalloc::free);
        report("never", block + 112 * 580L, Mimalloc::free);
        Memory.putByte(block + 100, 1);
        report("past", block, Mimalloc::free);
        reportForm("by a form or past", 1);
        reportForm("past the form", 3);
        long freed = allocateHere();
        freeHere(freed);
        report("after", freed, DebugTest::findWrite);
        report("nowhere", 0x1000, Mimalloc::free);
    }

    /** A single byte of padding, in which somebody else has written what could be that form; there is no form 3. */
    private static void reportForm(String name, int form) {
        long block = Mimalloc.malloc(111);
        Memory.putByte(block + 111, Memory.getByte(block + 111) ^ form << 5);
        report(name, block, Mimalloc::free);
    }

    private static void findWrite(long block) {
        Memory.putByte(block + 20, 1);
        for (int i = 0; i < 70_000; i++) Mimalloc.malloc(24);
    }

    private static long allocateHere() { return Mimalloc.malloc(24); }

    private static void freeHere(long block) { Mimalloc.free(block); }

    private static void report(String name, long address, LongConsumer misuse) {
        try {
            misuse.accept(address);
            System.out.println(name + ": nothing");
        } catch (RuntimeException e) {
            System.out.println(name + ": " + e.getMessage());
        }
    }

    private static void stacks() {
        long block = allocateHere();
        freeHere(block);
        try {
            findWrite(block);
        } catch (IllegalArgumentException e) {
            System.out.println(e.getMessage());
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                System.out.println(cause.getMessage());
                for (StackTraceElement frame : cause.getStackTrace()) System.out.println("at " + frame);
            }
        }
    }

    private static void forms() {
        form(NEW, 0, -1, 1);
        form(NEW_ARRAY, 0, -1, 1);
        form(0, NEW, -1, 1);
        form(NEW, NEW_ARRAY, -1, 1);
        form(NEW_ARRAY, NEW, -1, 1);
        form(NEW | ALIGNED, NEW, -1, 1);
        form(NEW, NEW | ALIGNED, -1, 16);
        form(NEW_ARRAY, NEW_ARRAY | ALIGNED, -1, 16);
        form(NEW, NEW, 101, 1);
        form(NEW | ALIGNED, NEW | ALIGNED, 100, 1 << 16);
        form(NEW, NEW, -100, 1);
        form(NEW, NEW, 100, 1);
        form(NEW_ARRAY, NEW_ARRAY, 100, 1);
        form(NEW | ALIGNED, NEW | ALIGNED, 100, 16);
        form(0, 0, 100, 1);
    }

    /** Allocates by a form and frees by one, with a size and an alignment; -100 writes past the end first. */
    private static void form(int allocated, int freed, long size, long alignment) {
        long block = Mimalloc.malloc(100);
        while (block % (1 << 16) == 0) block = Mimalloc.malloc(100); // a page's first, which comes at any time in random order
        block = Free.formed(block, allocated);
        if (size == -100) Memory.putByte(block + 100, Memory.getByte(block + 100) ^ 1); // padding may have any value
        try {
            if (freed == 0 && size < 0) Free.free(block);
            else Free.freeFormed(block, freed, Math.max(size, -1), alignment);
            System.out.println("nothing");
        } catch (IllegalArgumentException e) {
            List<String> lines = e.getMessage().lines().toList();
            System.out.println(lines.get(0).replaceAll(": 0x.*", ": ") + lines.get(1).replaceAll(".*(by .*new.*)|.*", "$1"));
        }
    }
}
