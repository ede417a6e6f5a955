package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.machine.Memory;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Misuse of blocks is an exception in a hardened JVM, whatever the size, and changes nothing else. */
class HardenTest {
    private static final long[] SIZES = {1, 15, 16, 24, 100, 1000, 5000, 70_000};
    private static final String INVALID = "IllegalArgumentException";
    private static final String FREED_TWICE = "IllegalStateException"; // or used after its free

    /** What a page of the documentation tells of: settings, and whether they are about frees only. */
    private static final Map<String, Boolean> SETTINGS = new TreeMap<>(Map.of("secure=3", false, "secure=5", false, "harden=1", true,
            "harden=2", false, "harden=3", false, "debug=3", false));
    private static final Path PAGE = Path.of("../docs/security.md");

    private static long size;

    /** Ways to misuse a block, which is live; its size is in {@link #size}. */
    private static final Map<String, LongConsumer> MISUSES = new TreeMap<>(Map.ofEntries(
            Map.entry("frees it twice", block -> {
                Mimalloc.free(block);
                Mimalloc.free(block);
            }),
            Map.entry("frees it, another, and it again", block -> {
                long other = Mimalloc.malloc(size);
                Mimalloc.free(block);
                Mimalloc.free(other);
                Mimalloc.free(block);
            }),
            Map.entry("frees it in two threads", block -> {
                free(block);
                Mimalloc.free(block);
            }),
            Map.entry("frees an address inside", block -> Mimalloc.free(block + 8)),
            Map.entry("frees memory of the C library", block -> {
                try (var arena = Arena.ofConfined()) {
                    Mimalloc.free(arena.allocate(size, 16).address());
                }
            }),
            Map.entry("writes a byte past its end", block -> {
                Memory.putByte(block + size, 0);
                Mimalloc.free(block);
            }),
            Map.entry("writes a byte past its end and has it freed elsewhere", block -> {
                Memory.putByte(block + size, 0);
                free(block);
            }),
            Map.entry("writes past its end and reallocates", block -> {
                Memory.putByte(block + size, 0);
                Mimalloc.realloc(block, 10 * size);
            }),
            Map.entry("writes to it after its free", block -> {
                Mimalloc.free(block);
                Memory.putLong(block, 0x1234);
                for (int i = 0; i < 70_000; i++) Mimalloc.free(Mimalloc.malloc(size));
            }),
            Map.entry("frees it and reallocates it", block -> {
                Mimalloc.free(block);
                Mimalloc.realloc(block, 10 * size);
            }),
            Map.entry("frees it and asks for its size", block -> {
                Mimalloc.free(block);
                Mimalloc.usableSize(block);
            })));

    /** Frees in another thread, and throws here what is thrown there. */
    private static void free(long block) {
        try {
            CompletableFuture.runAsync(() -> Mimalloc.free(block)).join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"secure=3", "secure=5", "harden=2", "harden=3"})
    void aMisuseIsAnException(String property) throws Exception {
        assertThat(outcomes(property)).allSatisfy(outcome -> {
            assertThat(outcome).endsWith(outcome.startsWith("frees it") ? FREED_TWICE : INVALID);
        });
    }

    /** Without padding nobody knows where a block's user has to end: what is written past it does harm. */
    @Test
    void theFirstPresetChecksFrees() throws Exception {
        List<String> outcomes = run("harden=1", "frees").out().lines().toList();
        assertThat(outcomes).hasSizeGreaterThan(SIZES.length).noneMatch(outcome -> outcome.endsWith("nothing"));
    }

    /** The zero behind a text that is too long: each page has padding of its own, and none has a 0 there. */
    @ParameterizedTest
    @ValueSource(strings = {"harden=2", "secure=4"})
    void aZeroPastTheEndIsAlwaysSeen(String property) throws Exception {
        assertThat(run(property, "zero").out()).isEqualTo("seen: 1000\n");
    }

    /** What was zeroed at its free is seen to have been written to, anywhere in it. */
    @Test
    void aWriteAnywhereInAFreeBlockIsFound() throws Exception {
        assertThat(run("harden=3", "reuse").out()).isEqualTo("written to after it was freed\n".repeat(3));
    }

    /** What comes of each misuse in each setting; {@code -Dmimalloc.write=true} writes it into the page. */
    @Test
    void thePageSaysWhatComesOfEach() throws Exception {
        var rows = new TreeMap<String, List<String>>();
        for (var setting : SETTINGS.entrySet()) {
            List<String> outcomes = run(setting.getKey(), setting.getValue() ? "frees" : "").out().lines().toList();
            for (String misuse : MISUSES.keySet()) {
                var ends = new TreeSet<String>();
                outcomes.stream().filter(line -> line.startsWith(misuse + " (")).forEach(line -> ends.add(line.replaceAll(".*: ", "")));
                rows.computeIfAbsent(misuse, m -> new ArrayList<>())
                        .add(ends.isEmpty() ? "undefined" : "`" + String.join("`, `", ends) + "`");
            }
        }
        var table = new StringBuilder("| the program |");
        SETTINGS.keySet().forEach(setting -> table.append(" `").append(setting).append("` |"));
        table.append("\n|").append("---|".repeat(SETTINGS.size() + 1)).append('\n');
        rows.forEach((misuse, ends) -> table.append("| ").append(misuse).append(" | ").append(String.join(" | ", ends)).append(" |\n"));
        String page = Files.readString(PAGE);
        String filled = page.replaceFirst("(?s)(<!-- jvm -->\n).*?(<!-- end of jvm -->)", "$1" + Matcher.quoteReplacement(table.toString()) + "$2");
        if (Boolean.getBoolean("mimalloc.write")) Files.writeString(PAGE, filled);
        else assertThat(page).as("-Dmimalloc.write=true writes it").isEqualTo(filled).contains(table);
    }

    /** A large block waits from the first one on, and is not touched by the report of its second free. */
    @Test
    void aLargeBlockIsFreedOnce() throws Exception {
        assertThat(run("harden=3", "large").out()).isEqualTo("a block is freed twice\nanother address\n");
    }

    private static List<String> outcomes(String property) throws Exception {
        List<String> outcomes = run(property, "").out().lines().toList();
        assertThat(outcomes).hasSize(MISUSES.size() * SIZES.length);
        return outcomes;
    }

    private static Child run(String property, String what) throws Exception {
        String only = property.startsWith("secure") ? "harden=0" : property;
        return Child.java(HardenTest.class, List.of(property, only, "debug=3", "leaks=off"), what).assertSuccess();
    }

    public static void main(String[] arguments) {
        if (arguments[0].equals("zero")) {
            System.out.println("seen: " + zerosSeen());
            return;
        }
        if (arguments[0].equals("reuse")) {
            for (long each : new long[] {100, 1000, 5000}) reuse(each);
            return;
        }
        if (arguments[0].equals("large")) {
            large();
            return;
        }
        MISUSES.forEach((name, misuse) -> {
            if (!name.startsWith(arguments[0])) return;
            for (long each : SIZES) {
                size = each;
                System.out.println(name + " (" + each + "): " + outcome(misuse));
                useAll();
            }
        });
    }

    private static int zerosSeen() {
        var heaps = new ArrayList<Heap>();
        int seen = 0;
        for (int i = 0; i < 1000; i++) {
            heaps.add(Heap.create());
            long block = heaps.getLast().malloc(15);
            Memory.putByte(block + 15, 0);
            try {
                Mimalloc.free(block);
            } catch (IllegalArgumentException e) {
                seen++;
            }
        }
        return seen;
    }

    private static String outcome(LongConsumer misuse) {
        long block = Mimalloc.malloc(size);
        Memory.fill(block, size, 7);
        try {
            misuse.accept(block);
            return "nothing";
        } catch (RuntimeException e) {
            return e.getClass().getSimpleName();
        }
    }

    private static void large() {
        long block = Mimalloc.malloc(100_000);
        Mimalloc.free(block);
        try {
            Mimalloc.free(block);
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage().replaceAll("(?s):.*", ""));
        }
        if (Mimalloc.malloc(100_000) != block) System.out.println("another address");
    }

    private static void reuse(long each) {
        long block = Mimalloc.malloc(each);
        Mimalloc.free(block);
        Memory.putByte(block + each - 1, 9);
        try {
            for (int i = 0; i < 70_000; i++) Mimalloc.free(Mimalloc.malloc(each));
        } catch (IllegalArgumentException e) {
            System.out.println(e.getMessage().replaceAll("(?s).*(written.*freed).*", "$1"));
        }
    }

    /** All goes on as ever: blocks are allocated, grow, are zero where they should be, and are freed. */
    private static void useAll() {
        var random = new Random(1);
        var blocks = new ArrayList<Long>();
        for (int i = 0; i < 300; i++) {
            int bytes = 1 + random.nextInt(3000);
            long block = Mimalloc.zalloc(bytes);
            for (int at = 0; at < bytes; at++) if (Memory.getByte(block + at) != 0) throw new AssertionError("not zero");
            Memory.fill(block, bytes, 5);
            block = Mimalloc.realloc(block, bytes + random.nextInt(3000));
            for (int at = 0; at < bytes; at++) if (Memory.getByte(block + at) != 5) throw new AssertionError("not kept");
            blocks.add(block);
        }
        for (long block : blocks) Mimalloc.free(block);
    }
}
