package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.UpperTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a secure JVM has memory, and what cannot be touched, by level. The C library's tests have more of it. */
class SecureLayoutTest {
    private static final int RUNS = 12;
    private static final long[] SIZES = {1, 24, 100, 1000, 5000, 70_000, 100_000, (64 << 10) - 1, 1 << 20, 5 << 20};

    @Test
    void theAllocatorsOwnMemoryLiesBetweenGuards() throws Exception {
        assertThat(run("1", "meta").values()).hasSize(3).containsOnly("guarded");
        assertThat(run("0", "meta").values()).hasSize(3).containsOnly("open");
    }

    /** A bit of 12 runs is the same in all of them once in 2048 times. */
    @Test
    void arenasLieAnywhere() throws Exception {
        long ones = 0;
        long zeros = 0;
        for (int i = 0; i < RUNS; i++) {
            long address = Long.decode(run("1", "arena").get("arena"));
            ones |= address;
            zeros |= ~address;
        }
        assertThat(Long.bitCount(ones & zeros)).as("bits that differ between runs").isGreaterThanOrEqualTo(22);
    }

    @Test
    void noPageOfBlocksGoesOnBehindItsEnd() throws Exception {
        assertThat(run("5", "pages").values()).hasSize(SIZES.length).containsOnly("guarded");
        assertThat(run("4", "pages").values()).hasSize(SIZES.length).contains("open");
    }

    @Test
    void blocksOfNoBytesCannotBeTouched() throws Exception {
        assertThat(run("5", "empty")).containsEntry("access", "---p").containsEntry("usable", "0").containsEntry("different", "1000")
                .containsEntry("freed twice", "IllegalStateException").containsEntry("freed inside", "IllegalArgumentException");
        assertThat(run("4", "empty")).containsEntry("access", "rw-p").containsEntry("usable", "0").containsEntry("different", "1000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"6", "-1", "on"})
    void thereIsNoOtherLevel(String level) throws Exception {
        assertThat(child(level, "meta").err()).contains("dev.mimalloc.secure is 0 to 5, not " + level);
    }

    private static Map<String, String> run(String level, String what) throws Exception {
        var found = new TreeMap<String, String>();
        child(level, what).assertSuccess().out().lines().map(line -> line.split(": ")).forEach(line -> found.put(line[0], line[1]));
        return found;
    }

    private static Child child(String level, String what) throws Exception {
        return Child.java(SecureLayoutTest.class, List.of("secure=" + level, "harden=0", "debug=3", "leaks=off"), what);
    }

    public static void main(String[] arguments) throws IOException {
        long block = Mimalloc.malloc(100);
        switch (arguments[0]) {
            case "meta" -> {
                report("theap", isBetweenGuards(ThreadSlot.theap()));
                report("bookkeeping", isBetweenGuards(Subprocess.arena(Main.subprocess(), 0)));
                report("page map", isBetweenGuards(UpperTable.get(block >>> 33)));
            }
            case "arena" -> System.out.println("arena: " + (block & -(2 << 20)));
            case "pages" -> pages();
            default -> empty();
        }
    }

    private static void report(String what, boolean guarded) { System.out.println(what + ": " + (guarded ? "guarded" : "open")); }

    private static void pages() throws IOException {
        for (long size : SIZES) {
            try (Heap heap = Heap.create()) {
                long page = PageMap.pageOf(heap.malloc(size));
                long end = Config.alignUp(Page.start(page) + Page.bytes(page), Os.pageSize());
                report("page of " + size, access(end).startsWith("---"));
            }
        }
    }

    private static void empty() throws IOException {
        long block = Mimalloc.malloc(0);
        System.out.println("access: " + access(block));
        System.out.println("usable: " + Mimalloc.usableSize(block));
        var blocks = new HashSet<Long>(List.of(block));
        for (int i = 1; i < 1000; i++) blocks.add(Mimalloc.malloc(0));
        System.out.println("different: " + blocks.size());
        System.out.println("freed inside: " + freeOf(block + 8));
        blocks.forEach(Mimalloc::free);
        System.out.println("freed twice: " + freeOf(block));
    }

    private static String freeOf(long address) {
        try {
            Mimalloc.free(address);
            return "nothing";
        } catch (RuntimeException e) {
            return e.getClass().getSimpleName();
        }
    }

    /** A mapping of this process: addresses without a sign, as the kernel's own page lies at their upper end. */
    private record Mapping(long from, long to, String access) {
        static Mapping of(String line) {
            String[] words = line.split("[- ]", 3);
            return new Mapping(Long.parseUnsignedLong(words[0], 16), Long.parseUnsignedLong(words[1], 16), words[2].substring(0, 4));
        }

        boolean has(long address) {
            return Long.compareUnsigned(address, from) >= 0 && Long.compareUnsigned(address, to) < 0;
        }
    }

    private static List<Mapping> mappings() throws IOException {
        var mappings = new ArrayList<Mapping>();
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) mappings.add(Mapping.of(line));
        return mappings;
    }

    private static String access(long address) throws IOException {
        return mappings().stream().filter(m -> m.has(address)).map(Mapping::access).findFirst().orElse("nothing there");
    }

    private static boolean isBetweenGuards(long address) throws IOException {
        List<Mapping> all = mappings();
        for (int i = 1; i < all.size() - 1; i++) {
            if (all.get(i).has(address)) return isGuard(all.get(i - 1), all.get(i).from(), true) && isGuard(all.get(i + 1), all.get(i).to(), false);
        }
        return false;
    }

    private static boolean isGuard(Mapping mapping, long edge, boolean before) {
        return mapping.access().equals("---p") && (before ? mapping.to() : mapping.from()) == edge;
    }
}
