package dev.mimalloc.profiles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mimalloc.Arenas;
import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.Profile;
import dev.mimalloc.machine.Trace;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.ObjIntConsumer;
import java.util.regex.Pattern;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Profiles are made as a program makes them, and read from what they have written.
 *
 * <p>Of n blocks of s bytes each is a sample with the chance p = 1 - e^(-s/interval), and then counts for 1/p blocks: so
 * the sum's variance is n (1 - p) / p. Five times its root is missed once in 1.7 million times.
 */
class ProfileTest {
    private static final long RUNS = 20;
    private static final int ALLOC_OBJECTS = 0, ALLOC_SPACE = 1, INUSE_OBJECTS = 2, INUSE_SPACE = 3;

    @TempDir
    private Path folder;

    private final long lost = Trace.lost();

    @AfterEach
    void nothingWasLostAndNobodyListens() {
        assertThat(Trace.lost()).isEqualTo(lost);
        assertThat(Trace.sampleInterval()).isZero();
    }

    private static Pprof written(Profile profile) throws IOException {
        var out = new ByteArrayOutputStream();
        profile.write(out);
        return Pprof.read(out.toByteArray());
    }

    /** A value is what it should be, given that so many blocks of a size were sampled with this interval. */
    private static void assertEstimates(long value, long blocks, long size, long interval, long scale) {
        double sigma = Math.sqrt(variance(blocks, size, interval)) * (double) scale;
        assertThat((double) value).isCloseTo((double) (blocks * scale), offset(5 * sigma + 2.0 * (double) (RUNS * scale)));
    }

    private static double variance(long blocks, long size, long interval) {
        double chance = -Math.expm1(-(double) size / (double) interval);
        return (double) blocks * (1 - chance) / chance;
    }

    /** Has a thread of its own do it: what this one has in its lists when a profile starts is no sample. */
    private static void inAThread(Runnable work) throws InterruptedException { Thread.ofPlatform().start(work).join(); }

    /** Two thirds of the blocks are freed, by another thread. */
    private static void assertKnown(String method, ObjIntConsumer<List<Long>> work, int count, long size, long interval)
            throws Exception {
        long[] sums = new long[4];
        for (int run = 0; run < RUNS; run++) {
            try (Profile profile = Mimalloc.profile(interval)) {
                List<Long> blocks = new ArrayList<>();
                inAThread(() -> work.accept(blocks, count));
                inAThread(() -> blocks.subList(count / 3, count).forEach(Mimalloc::free));
                Pprof read = written(profile);
                for (int i = 0; i < sums.length; i++) sums[i] += read.sum(i, "Workload." + method);
                blocks.subList(0, count / 3).forEach(Mimalloc::free);
                Pprof after = written(profile);
                assertThat(after.sum(INUSE_OBJECTS, "Workload." + method)).isZero();
                assertThat(after.inUseBytes("Workload." + method)).isZero();
            }
        }
        long allocated = RUNS * count, kept = RUNS * (count / 3);
        assertEstimates(sums[ALLOC_OBJECTS], allocated, size, interval, 1);
        assertEstimates(sums[ALLOC_SPACE], allocated, size, interval, size);
        assertEstimates(sums[INUSE_OBJECTS], kept, size, interval, 1);
        assertEstimates(sums[INUSE_SPACE], kept, size, interval, size);
    }

    @Test
    void smallBlocks() throws Exception { assertKnown("small", Workload::small, 30_000, 48, 4096); }

    @Test
    void mediumBlocks() throws Exception {
        assertKnown("medium", Workload::medium, 1500, Mimalloc.goodSize(5000), 16 << 10);
    }

    @Test
    void largeBlocks() throws Exception { assertKnown("large", Workload::large, 150, 200_000, 512 << 10); }

    @Test
    void alignedBlocks() throws Exception { assertKnown("aligned", Workload::aligned, 9000, 512, 4096); }

    @Test
    void largeAlignedBlocks() throws Exception {
        assertKnown("alignedLarge", Workload::alignedLarge, 150, 128 << 10, 512 << 10);
    }

    @Test
    void resizedBlocksCountWhereTheyHaveMoved() throws Exception {
        long interval = 4096, first = 64, second = Mimalloc.goodSize(1000);
        int count = 6000;
        long objects = 0, space = 0, kept = 0;
        for (int run = 0; run < RUNS; run++) {
            try (Profile profile = Mimalloc.profile(interval)) {
                List<Long> blocks = new ArrayList<>();
                inAThread(() -> Workload.resized(blocks, count));
                Pprof read = written(profile);
                objects += read.sum(ALLOC_OBJECTS, "Workload.resized");
                space += read.sum(ALLOC_SPACE, "Workload.resized");
                kept += read.inUseBytes("Workload.resized");
                blocks.forEach(Mimalloc::free);
                assertThat(written(profile).inUseBytes("Workload.resized")).isZero();
            }
        }
        long n = RUNS * count;
        double before = variance(n, first, interval), after = variance(n, second, interval);
        assertThat((double) objects).isCloseTo(2.0 * (double) n, offset(5 * Math.sqrt(before + after)));
        assertThat((double) space).isCloseTo((double) ((first + second) * n),
                offset(5 * Math.sqrt(before * (double) (first * first) + after * (double) (second * second))));
        assertEstimates(kept, n, second, interval, second);
    }

    @Test
    void heapsAndArenasEnd() throws Exception {
        Map<String, Long> sizes = Map.of("inAHeap", 112L, "inAnArena", 320L);
        Map<String, long[]> sums = Map.of("inAHeap", new long[4], "inAnArena", new long[4]);
        int count = 15_000;
        long interval = 4096;
        for (int run = 0; run < RUNS; run++) {
            try (Profile profile = Mimalloc.profile(interval)) {
                try (Heap heap = Heap.create(); Arena arena = Arenas.ofConfined()) {
                    Workload.inAHeap(heap, count);
                    Workload.inAnArena(arena, count);
                    Pprof read = written(profile);
                    sums.forEach((method, sum) -> {
                        for (int i = 0; i < sum.length; i++) sum[i] += read.sum(i, "Workload." + method);
                    });
                }
                Pprof after = written(profile);
                for (String method : sums.keySet()) assertThat(after.inUseBytes("Workload." + method)).isZero();
            }
        }
        sums.forEach((method, sum) -> {
            long n = RUNS * count, size = sizes.get(method);
            assertEstimates(sum[INUSE_OBJECTS], n, size, interval, 1);
            assertEstimates(sum[INUSE_SPACE], n, size, interval, size);
            assertThat(sum[ALLOC_SPACE]).isEqualTo(sum[INUSE_SPACE]);
        });
    }

    /** With an interval of 1 all blocks are samples, whose numbers are known exactly. */
    @Test
    void everyBlockMayBeASample() throws Exception {
        try (Profile profile = Mimalloc.profile(1)) {
            Heap heap = Heap.create();
            Workload.inAHeap(heap, 1000);
            Pprof read = written(profile);
            assertThat(read.samples().stream().filter(s -> s.has("Workload.inAHeap"))).singleElement()
                    .satisfies(s -> assertThat(s.values()).containsExactly(1000L, 112_000L, 1000L, 112_000L));
            heap.close();
            assertThat(written(profile).samples().stream().filter(s -> s.has("Workload.inAHeap"))).singleElement()
                    .satisfies(s -> assertThat(s.values()).containsExactly(1000L, 112_000L, 0L, 0L));
            assertThat(profile.bytesPerSample()).isEqualTo(1);
        }
    }

    @Test
    void aReaderFindsAllThatTheFormatHas() throws Exception {
        Instant before = Instant.now();
        List<Long> blocks = new ArrayList<>();
        Pprof read;
        try (Profile profile = Mimalloc.profile(1024)) {
            Workload.small(blocks, 1000);
            read = written(profile);
        }
        assertThat(read.types()).containsExactly("alloc_objects/count", "alloc_space/bytes", "inuse_objects/count",
                "inuse_space/bytes");
        assertThat(read.periodType()).isEqualTo("space/bytes");
        assertThat(read.period()).isEqualTo(1024);
        assertThat(read.defaultType()).isEqualTo("inuse_space");
        assertThat(read.time()).isBetween(nanos(before), nanos(Instant.now()));
        assertThat(read.duration()).isPositive();
        var sample = read.samples().stream().filter(s -> s.has("Workload.small")).findAny().orElseThrow();
        String type = "dev.mimalloc.profiles.Workload.small";
        assertThat(sample.stack().getFirst().function()).as("the allocator's caller").isEqualTo(type);
        assertThat(sample.stack().getFirst().systemName()).isEqualTo(type);
        assertThat(sample.stack().getFirst().file()).isEqualTo("dev/mimalloc/profiles/Workload.java");
        List<String> source = Files.readAllLines(Path.of("src/test/java").resolve(sample.stack().getFirst().file()));
        assertThat(source.get((int) sample.stack().getFirst().line() - 1)).contains("Mimalloc.malloc(48)");
        assertThat(sample.stack().get(1).function()).isEqualTo("dev.mimalloc.profiles.ProfileTest.aReaderFindsAllThatTheFormatHas");
        blocks.forEach(Mimalloc::free);
    }

    private static long nanos(Instant time) { return TimeUnit.SECONDS.toNanos(time.getEpochSecond()) + time.getNano(); }

    @Test
    void aStackHas64Frames() throws Exception {
        try (Profile profile = Mimalloc.profile(1)) {
            // The first ones may be blocks that lay ready when the profile began, which are no samples.
            List<Long> blocks = new ArrayList<>();
            for (int i = 0; i < 1000; i++) blocks.add(Workload.deep(100));
            blocks.forEach(Mimalloc::free);
            var sample = written(profile).samples().stream().filter(s -> s.has("Workload.deep")).findAny().orElseThrow();
            assertThat(sample.stack()).hasSize(64).allMatch(place -> place.function().endsWith("Workload.deep"));
        }
    }

    /** The real reader, where it is installed. */
    @Test
    void goReadsIt() throws Exception {
        Path go = Path.of("/usr/bin/go");
        assumeThat(go).exists();
        Path file = folder.resolve("heap.pb.gz");
        List<Long> blocks = new ArrayList<>();
        try (Profile profile = Mimalloc.profile(4096)) {
            Workload.small(blocks, 100_000);
            Workload.comeAndGo(100_000);
            profile.write(file);
        }
        String top = run(List.of(go.toString(), "tool", "pprof", "-top", "-unit=B", file.toString()), Map.of());
        assertThat(top).contains("Type: inuse_space").doesNotContain("comeAndGo");
        var found = Pattern.compile("(\\d+)B .* dev\\.mimalloc\\.profiles\\.Workload\\.small").matcher(top);
        assertThat(found.find()).as(top).isTrue();
        assertThat(Double.parseDouble(found.group(1))).isCloseTo(4_800_000, withinPercentage(20));
        String objects = run(List.of(go.toString(), "tool", "pprof", "-top", "-sample_index=alloc_objects",
                "-lines", file.toString()), Map.of());
        assertThat(objects).contains("Workload.comeAndGo dev/mimalloc/profiles/Workload.java:");
        String raw = run(List.of(go.toString(), "tool", "pprof", "-raw", file.toString()), Map.of());
        assertThat(raw).contains("PeriodType: space bytes").contains("Period: 4096")
                .contains("alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]");
        blocks.forEach(Mimalloc::free);
    }

    @Test
    void collapsedStacksAreForFlameGraphs() throws Exception {
        Path file = folder.resolve("heap.collapsed");
        Heap heap = Heap.create();
        try (Profile profile = Mimalloc.profile(1)) {
            Workload.inAHeap(heap, 100);
            Workload.inAHeap(heap, 100); // from another line: the same methods
            Workload.comeAndGo(100);
            profile.writeCollapsed(file);
        }
        heap.close();
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).allMatch(line -> line.matches("[^ ]+(;[^ ]+)* [1-9][0-9]*"));
        assertThat(lines.stream().filter(line -> line.contains("Workload"))).singleElement().asString().endsWith(
                ";dev.mimalloc.profiles.ProfileTest.collapsedStacksAreForFlameGraphs;dev.mimalloc.profiles.Workload.inAHeap 22400");
    }

    @Test
    @SuppressWarnings("try") // one is closed earlier
    void profilesAndARecordingRunAtOnce() throws Exception {
        Path file = folder.resolve("recording.jfr");
        int count = 200_000;
        List<Long> blocks = new ArrayList<>();
        try (Recording recording = new Recording();
                Profile coarse = Mimalloc.profile(16 << 10);
                Profile fine = Mimalloc.profile(1 << 10)) {
            recording.enable("dev.mimalloc.Allocation").with("interval", "4 kB").with("rate", "1000000000/s");
            recording.start();
            inAThread(() -> Workload.small(blocks, count));
            for (Profile profile : List.of(coarse, fine)) {
                assertEstimates(written(profile).sum(ALLOC_OBJECTS, "small"), count, 48, profile.bytesPerSample(), 1);
            }
            fine.close(); // the others go on
            inAThread(() -> Workload.small(blocks, count));
            assertEstimates(written(coarse).inUseBytes("small"), 2L * count, 48, 16 << 10, 48);
            assertEstimates(written(fine).inUseBytes("small"), count, 48, 1 << 10, 48);
            recording.stop();
            recording.dump(file);
            blocks.forEach(Mimalloc::free);
            assertThat(written(coarse).inUseBytes("small")).isZero();
            assertThat(written(fine).inUseBytes("small")).as("it was closed").isPositive();
        }
        long weight = 0;
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            if (!event.getEventType().getName().equals("dev.mimalloc.Allocation")) continue;
            var top = event.getStackTrace().getFrames().getFirst().getMethod();
            if (!top.getType().getName().equals(Workload.class.getName())) continue;
            assertThat(event.getLong("weight")).isGreaterThanOrEqualTo(4096);
            weight += event.getLong("weight");
        }
        assertEstimates(weight, 2L * count, 48, 4096, 48);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void profilesStartAndStopWhileThreadsAllocate(boolean virtual) throws Exception {
        var done = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add((virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(() -> {
                while (!done.get()) {
                    Workload.comeAndGo(2000);
                    LockSupport.parkNanos(1); // so that virtual threads change places
                }
            }));
        }
        try (Profile whole = Mimalloc.profile(16 << 10)) {
            for (int i = 0; i < 40; i++) {
                try (Profile profile = Mimalloc.profile(256L << i % 10)) {
                    Workload.comeAndGo(1000);
                    assertSound(written(profile));
                    assertSound(written(whole));
                }
            }
            done.set(true);
            for (Thread thread : threads) thread.join();
            Pprof read = written(whole);
            assertSound(read);
            assertThat(read.sum(ALLOC_SPACE, "Workload.comeAndGo")).isGreaterThan(40 * 1000 * 250);
            assertThat(read.inUseBytes("Workload.comeAndGo")).as("all was freed").isZero();
            assertThat(read.sum(INUSE_OBJECTS, "Workload.comeAndGo")).isZero();
        }
    }

    private static void assertSound(Pprof profile) {
        assertThat(profile.samples()).allMatch(sample -> sample.values().stream().allMatch(value -> value >= 0)
                && sample.values().get(INUSE_OBJECTS) <= sample.values().get(ALLOC_OBJECTS)
                && sample.values().get(INUSE_SPACE) <= sample.values().get(ALLOC_SPACE));
    }

    @Test
    void whatIsClosedCanBeWrittenAndClosedAgain() throws Exception {
        Heap heap = Heap.create();
        Profile profile = Mimalloc.profile(1);
        assertThat(profile.isRunning()).isTrue();
        Workload.inAHeap(heap, 100);
        profile.close();
        profile.close();
        assertThat(profile.isRunning()).isFalse();
        Workload.inAHeap(heap, 100);
        heap.close();
        Path file = folder.resolve("twice");
        profile.write(file);
        byte[] first = Files.readAllBytes(file);
        profile.write(file);
        assertThat(Files.readAllBytes(file)).isEqualTo(first);
        assertThat(Pprof.read(file).inUseBytes("Workload.inAHeap")).isEqualTo(11_200);
        profile.writeCollapsed(file);
        assertThat(Files.readString(file)).contains("Workload.inAHeap 11200");
        try (Profile empty = Mimalloc.profile(Long.MAX_VALUE); Heap other = Heap.create()) {
            Workload.inAHeap(other, 1000);
            assertThat(written(empty).samples()).isEmpty();
        }
    }

    @Test
    void mistakesAreNamed() throws Exception {
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.profile(0))
                .withMessage("bytesPerSample is not positive: 0");
        assertThatIllegalArgumentException().isThrownBy(() -> Mimalloc.profile(-5))
                .withMessage("bytesPerSample is not positive: -5");
        try (Profile profile = Mimalloc.profile()) {
            assertThat(profile.bytesPerSample()).isEqualTo(512 << 10);
            BiConsumer<String, org.assertj.core.api.ThrowableAssert.ThrowingCallable> refused = (name, call) -> assertThatNullPointerException().isThrownBy(call).withMessage(name);
            refused.accept("file", () -> profile.write((Path) null));
            refused.accept("out", () -> profile.write((OutputStream) null));
            refused.accept("file", () -> profile.writeCollapsed((Path) null));
            refused.accept("out", () -> profile.writeCollapsed((OutputStream) null));
            Path nowhere = folder.resolve("no/such/folder");
            assertThatIOException().isThrownBy(() -> profile.write(nowhere))
                    .withMessageContaining("cannot write a profile to " + nowhere).withMessageContaining("NoSuchFile");
            assertThatIOException().isThrownBy(() -> profile.writeCollapsed(folder)).withMessageContaining("directory");
            var full = new OutputStream() {
                private boolean closed;

                @Override
                public void write(int value) throws IOException { throw new IOException("no space left"); }

                @Override
                public void close() { closed = true; }
            };
            assertThatIOException().isThrownBy(() -> profile.write(full)).withMessage("no space left");
            assertThat(full.closed).isFalse();
        }
    }

    @Test
    void aPropertyOrAVariableProfilesTheWholeRun() throws Exception {
        String name = folder.resolve("run").toString();
        run(java("-Ddev.mimalloc.profile=" + name, "-Ddev.mimalloc.profile.sample.rate=512"), Map.of());
        assertRun(512);
        run(java(), Map.of("MIMALLOC_PROFILE", name, "MIMALLOC_PROFILE_SAMPLE_RATE", "1024"));
        assertRun(1024);
        run(java("-Ddev.mimalloc.profile="), Map.of("MIMALLOC_PROFILE", name));
        assertThat(folder).isEmptyDirectory();
        assertThat(run(java("-Ddev.mimalloc.profile=" + name + "/no"), Map.of()))
                .contains("mimalloc: cannot write a profile to " + name + "/no.");
        assertThat(run(java("-Ddev.mimalloc.profile=" + name, "-Ddev.mimalloc.profile.sample.rate=many"), Map.of()))
                .contains("dev.mimalloc.profile.sample.rate=many");
    }

    /** There is one file, of this interval; it is read and deleted. */
    private void assertRun(long interval) throws IOException {
        List<Path> files;
        try (var all = Files.list(folder)) {
            files = all.toList();
        }
        assertThat(files).singleElement().asString().matches(Pattern.quote(folder.toString()) + "/run\\.[0-9]+\\.1\\.pb\\.gz");
        Pprof read = Pprof.read(files.getFirst());
        assertThat(read.period()).isEqualTo(interval);
        assertThat((double) read.inUseBytes("Workload.main")).isCloseTo(1_120_000, withinPercentage(25));
        assertThat(read.inUseBytes("inAnArena")).isZero();
        assertThat((double) read.sum(ALLOC_OBJECTS, "inAnArena")).isCloseTo(10_000, withinPercentage(25));
        Files.delete(files.getFirst());
    }

    private static List<String> java(String... options) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of(options));
        var homes = new ArrayList<String>();
        for (Class<?> type : List.of(Workload.class, Mimalloc.class, Trace.class)) {
            String name = "/" + type.getName().replace('.', '/') + ".class";
            String url = type.getResource(name).toString();
            homes.add(Path.of(URI.create(url.substring(0, url.length() - name.length()).replaceAll("^jar:|!$", ""))).toString());
        }
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", String.join(File.pathSeparator, homes),
                Workload.class.getName()));
        return command;
    }

    /** What a program says; it must end well. */
    private static String run(List<String> command, Map<String, String> variables) throws Exception {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(variables);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }
}
