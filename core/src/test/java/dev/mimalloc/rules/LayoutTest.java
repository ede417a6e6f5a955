package dev.mimalloc.rules;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.machine.Memory;
import dev.mimalloc.rules.Layout.Field;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.AccessibleObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The structs' fields follow each other, are as wide as they are said to be, and lie where the fast paths want them. */
class LayoutTest {
    private static final Path CORE = Path.of("src/main/java/dev/mimalloc/core");
    private static final String STRUCTS = "Addresses Arena ArenaPages Bitmap Dump Guarded Heap Live Main Mappings Meta Options Page PageQueue Printer ProcessInfo "
            + "ProfileFile Profiler Quarantine Requests Root Samples Stacks Statistics Subprocess Theap ThreadData Verify Visit";

    private static final Map<String, String> PACKAGES = packages();

    /** By a class' simple name. */
    private static Map<String, String> packages() {
        try (var files = Files.walk(CORE)) {
            return files.filter(f -> f.toString().endsWith(".java")).filter(f -> !f.endsWith("package-info.java"))
                    .collect(Collectors.toMap(f -> f.getFileName().toString().replace(".java", ""),
                            f -> "dev.mimalloc.core." + f.getParent().getFileName() + "."));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Layout> layouts() throws IOException {
        var layouts = new TreeMap<String, Layout>();
        try (var files = Files.walk(CORE)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
                layouts.put(file.getFileName().toString().replace(".java", ""), new Layout(Files.readString(file)));
            }
        }
        return layouts;
    }

    @Test
    void structsHaveALayout() throws IOException {
        var structs = new ArrayList<String>();
        layouts().forEach((name, layout) -> {
            if (!layout.chains().isEmpty()) structs.add(name);
        });
        assertThat(String.join(" ", structs)).isEqualTo(STRUCTS);
    }

    @Test
    void fieldsFollowEachOther() throws IOException {
        var faults = new ArrayList<String>();
        layouts().forEach((name, layout) -> layout.chains().forEach(chain -> check(name, chain, faults)));
        assertThat(faults).isEmpty();
    }

    private static void check(String struct, List<Field> chain, List<String> faults) {
        Field word = null; // one of several fields
        for (int i = 0; i < chain.size(); i++) {
            Field field = chain.get(i);
            String place = struct + "." + field.name();
            long at = constant(struct, field.name());
            if (at % (field.width() == 0 ? 8 : Math.min(8, field.width())) != 0) faults.add(place + " is not aligned");
            if (i == 0) continue;
            Field before = chain.get(i - 1);
            if (!field.offset().matches(before.name() + "( \\+ .*)?")) faults.add(place + " is not behind " + before.name());
            if (field.isPartOf(before)) {
                word = before;
                continue;
            }
            long end = constant(struct, before.name()) + before.width();
            boolean rounded = field.offset().endsWith(" & -LINE");
            boolean follows = rounded ? at >= end && at % Memory.LINE == 0 : at == end;
            if (before.width() == 0 ? at <= end : !follows) faults.add(place + " at " + at + ", not " + end);
            if (word != null && at >= constant(struct, word.name()) + word.width()) {
                if (at != constant(struct, word.name()) + word.width()) faults.add(place + " is not behind " + word.name());
                word = null;
            }
        }
    }

    @Test
    void fieldsAreAccessedAsTheyAreDeclared() throws IOException {
        var faults = new ArrayList<String>();
        int accesses = 0;
        for (var layout : layouts().entrySet()) {
            accesses += layout.getValue().accesses().size();
            layout.getValue().wrongAccesses().forEach(fault -> faults.add(layout.getKey() + ": " + fault));
        }
        assertThat(accesses).isGreaterThan(250);
        // Page.isLocal says why it may; Root's count is first set by who initialises the process; an arena's bitmaps follow
        // each other.
        faults.removeIf(fault -> fault.startsWith("Page: plain getLong of Field[name=THREAD,")
                || fault.startsWith("Arena: putLong of Field[name=FREE,")
                || fault.startsWith("Root: plain putLong of Field[name=SHARED_COUNT,"));
        assertThat(faults).isEmpty();
    }

    @Test
    void addressesAreComputedWithNames() throws IOException {
        var faults = new ArrayList<String>();
        layouts().forEach((name, layout) -> layout.bareOffsets().forEach(fault -> faults.add(name + ": " + fault)));
        assertThat(faults).isEmpty();
    }

    /**
     * What Statistics counts is relaxed throughout, and what the purge looks at as well, but for the times that it sets; and
     * what is known of a profiler and its stacks, whose generation guards it.
     */
    @Test
    void accessorsNameTheirMemoryOrder() throws IOException {
        var faults = new ArrayList<String>();
        layouts().forEach((name, layout) -> layout.wrongNames().forEach(fault -> faults.add(name + "." + fault)));
        faults.removeIf(fault -> fault.matches("Statistics\\.(total|peak|current)|Profiler\\.\\w+|Stacks\\.(allocated|freed)|Arena\\.purgeClaims|Root\\.charged"
                + "|Subprocess\\.(arenaCount|setArenaCount|(set)?[pP]urge(Expire|r|dAt)|(set)?[wW](anted|aiting|aitPeak)|(set)?[eE]arlyFrom)"));
        assertThat(faults).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            static long b(long a) { return getLong(a + 8); }            | getLong(a + 8
            static long b(long a) { return getLong(a); }                | getLong(a)
            static long b(long a) { return a + 16; }                    | a + 16
            static long b(long a, int i) { return a + B + i * 24L; }    | * 24L
            static void b(long a) { compareAndSet(a + 8, 0, 1); }       | compareAndSet(a + 8
            static long b(long a) { return getInt(a + B); }             | getInt of Field[name=B,
            static long b(long a, int i) { return getLong(a + B + i * WORD); } | as a table
            static long b(long a) { return getLong(a + C); }            | plain getLong of Field[name=C
            static long b(long a) { return getRelaxed(a + B); }         | not named: b
            static void bRelease(long a, long v) { putLong(a + B, v); } | not named: bRelease
            """)
    void whatIsNoNamedFieldIsFound(String method, String fault) {
        String rows = """
                    static final long A = 0; // 8
                    static final long B = A + 8; // 8 once: a field
                    static final long C = B + 8; // 8 atomic: another
                    static long a(long a) { return getLong(a + A); }
                """;
        var fine = new Layout(rows);
        assertThat(fine.bareOffsets()).isEmpty();
        assertThat(fine.wrongAccesses()).isEmpty();
        var layout = new Layout(rows + "    " + method);
        var faults = new ArrayList<>(layout.bareOffsets());
        faults.addAll(layout.wrongAccesses());
        layout.wrongNames().forEach(name -> faults.add("not named: " + name));
        assertThat(faults).anyMatch(found -> found.contains(fault));
    }

    /** Malloc and a free by the owner touch half a line, a refill and a free by others the whole. */
    @Test
    void hotFieldsOfAPageShareALine() {
        assertThat(lastByte("Page", "FREE", "LOCAL_FREE", "THREAD", "COUNTS")).isLessThan(Memory.LINE / 2);
        assertThat(constant("Page", "KEY") % (Memory.LINE / 2)).as("no half line of a descriptor is split").isZero();
        assertThat(constant("Page", "MAX_SIZE") % (Memory.LINE / 2)).as("nor of a hardened one").isZero();
        assertThat(lastByte("Page", "THREAD_FREE", "BLOCK_SIZE", "RETIRE", "FLAGS_BYTE", "THEAP")).isLessThan(Memory.LINE);
    }

    @Test
    void otherHotFieldsShareALine() {
        assertThat(lastByte("Bitmap", "CHUNK_COUNT", "CHUNKS", "MAP")).isLessThan(Memory.LINE);
        assertThat(lastByte("Heap", "SUBPROCESS", "REFERENCES", "EXCLUSIVE_ARENA", "NUMA_NODE", "CHARGED", "LIMIT"))
                .isLessThan(Memory.LINE);
        assertThat(constant("Theap", "DATA") / Memory.LINE).as("what each generic allocation looks at")
                .isEqualTo(lastByte("Theap", "DATA", "HEAP", "GENERIC", "RETIRE_LAST") / Memory.LINE);
    }

    @Test
    void structsInStructsBeginALine() {
        for (String struct : List.of("SHARED_DATA", "DENSITY", "SIZE")) {
            assertThat(constant("Root", struct) % Memory.LINE).as(struct).isZero();
        }
        for (String struct : List.of("SUBPROCESS", "HEAP")) {
            assertThat(constant("Main", struct) % Memory.LINE).as(struct).isZero();
        }
        assertThat(constant("Root", "SIZE") + constant("Main", "SIZE")).as("of Memory.root()").isLessThanOrEqualTo(64 << 10);
        assertThat(constant("Statistics", "SIZE")).as("sizeof(mi_stats_t) of version 6").isEqualTo(4480);
    }

    /** The last byte of fields, none of which is wider than a word. */
    private static long lastByte(String struct, String... fields) {
        long last = 0;
        for (String field : fields) last = Math.max(last, constant(struct, field) + 7);
        return last;
    }

    private static long constant(String struct, String name) {
        try {
            var field = Class.forName(PACKAGES.get(struct) + struct).getDeclaredField(name);
            AccessibleObject.setAccessible(new AccessibleObject[] {field}, true);
            return field.getLong(null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(struct + "." + name, e);
        }
    }
}
