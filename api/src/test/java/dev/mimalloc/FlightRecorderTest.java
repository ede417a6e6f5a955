package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.leaks.Keeper;
import dev.mimalloc.machine.Trace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.DataAmount;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Recording;
import jdk.jfr.Timespan;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmc.common.item.Aggregators;
import org.openjdk.jmc.common.item.Attribute;
import org.openjdk.jmc.common.item.IAccessorKey;
import org.openjdk.jmc.common.item.IAttribute;
import org.openjdk.jmc.common.item.IItemIterable;
import org.openjdk.jmc.common.item.ItemFilters;
import org.openjdk.jmc.common.unit.IQuantity;
import org.openjdk.jmc.common.unit.UnitLookup;
import org.openjdk.jmc.flightrecorder.JfrLoaderToolkit;

/**
 * What a flight recording says about the allocator. Recordings are made and read back as users do.
 *
 * <p>A sum of weights is an estimate: of n samples it is off by one part in the root of n, and each test has enough of
 * them that it misses its tolerance less than once in a million runs.
 */
class FlightRecorderTest {
    @TempDir
    private Path directory;

    private final long lost = Trace.lost();

    @BeforeAll
    static void begin() { Mimalloc.free(Mimalloc.malloc(1)); }

    @AfterEach
    void nothingWasLost() { assertThat(Trace.lost()).isEqualTo(lost); }

    @FunctionalInterface
    private interface Work { void run() throws Exception; }

    /** Samples about one byte in 4096, however many that are. */
    private static Recording recording() {
        var recording = new Recording();
        recording.enable("dev.mimalloc.Allocation").with("interval", "4 kB").with("rate", "1000000000/s");
        return recording;
    }

    private List<RecordedEvent> record(Recording recording, Work work) throws Exception {
        Path file = directory.resolve("test" + System.nanoTime() + ".jfr");
        try (recording) {
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        Files.delete(file);
        return events;
    }

    private static List<RecordedEvent> of(List<RecordedEvent> events, String name) {
        return events.stream().filter(e -> e.getEventType().getName().equals("dev.mimalloc." + name)).toList();
    }

    private static List<RecordedEvent> from(List<RecordedEvent> events, String name, String method) {
        return of(events, name).stream().filter(e -> methods(e).contains(method)).toList();
    }

    private static List<String> methods(RecordedEvent event) {
        return event.getStackTrace().getFrames().stream().map(FlightRecorderTest::name).toList();
    }

    private static String name(RecordedFrame frame) { return frame.getMethod().getName(); }

    private static double sum(List<RecordedEvent> events, String field) {
        return events.stream().mapToDouble(e -> e.getLong(field)).sum();
    }

    private static long work(int count, long size) {
        long allocated = 0;
        for (int i = 0; i < count; i++) {
            Mimalloc.free(Mimalloc.malloc(size));
            allocated += Mimalloc.goodSize(size);
        }
        return allocated;
    }

    @Test
    void theWeightsTellWhatEachPlaceHasAllocated() throws Exception {
        AtomicLong here = new AtomicLong(), there = new AtomicLong();
        var events = record(recording(), () -> {
            for (int i = 0; i < 100; i++) {
                here.addAndGet(oneFrequentPlace());
                there.addAndGet(anotherPlace());
            }
        });
        var frequent = from(events, "Allocation", "oneFrequentPlace");
        assertThat(sum(frequent, "weight")).isCloseTo(here.doubleValue(), withinPercentage(15));
        assertThat(frequent).allMatch(e -> e.getLong("size") == 100 && methods(e).getFirst().equals("work"));
        assertThat(sum(from(events, "Allocation", "anotherPlace"), "weight")).isCloseTo(there.doubleValue(),
                withinPercentage(30));
        assertThat(frequent).extracting(e -> e.getThread().getJavaThreadId()).containsOnly(
                Thread.currentThread().threadId());
    }

    private static long oneFrequentPlace() { return work(3000, 100); }

    private static long anotherPlace() { return work(100, 1000); }

    @Test
    void aFreeBelongsToItsAllocation() throws Exception {
        var events = record(recording(), () -> {
            List<Long> blocks = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) blocks.add(Mimalloc.malloc(16 + i % 300));
            Thread.ofPlatform().start(() -> blocks.forEach(Mimalloc::free)).join();
            work(20_000, 64);
        });
        Map<Long, RecordedEvent> live = new HashMap<>();
        int frees = 0;
        for (RecordedEvent event : events.stream().filter(e -> methodsOf(e).contains("record")
                || methodsOf(e).contains("forEach")).sorted((a, b) -> a.getStartTime().compareTo(b.getStartTime()))
                .toList()) {
            if (event.getEventType().getName().equals("dev.mimalloc.Allocation")) {
                assertThat(live.put(event.getLong("address"), event)).isNull();
            } else if (event.getEventType().getName().equals("dev.mimalloc.Free")) {
                RecordedEvent allocation = live.remove(event.getLong("address"));
                assertThat(allocation).isNotNull();
                assertThat(event.getLong("size")).isEqualTo(allocation.getLong("size"));
                assertThat(event.getLong("weight")).isEqualTo(allocation.getLong("weight"));
                assertThat(event.getDuration("lifetime")).isPositive();
                frees++;
            }
        }
        assertThat(frees).isGreaterThan(500);
        assertThat(live).isEmpty();
    }

    private static List<String> methodsOf(RecordedEvent event) {
        return event.getStackTrace() == null ? List.of() : methods(event);
    }

    @Test
    void closingAHeapFreesItsSamples() throws Exception {
        var events = record(recording(), () -> {
            try (Heap heap = Heap.create()) {
                for (int i = 0; i < 20_000; i++) heap.malloc(100);
            }
        });
        assertThat(of(events, "Free").size()).isGreaterThan(100)
                .isEqualTo((int) of(events, "Allocation").stream().filter(e -> e.getLong("heap") != 0).count());
    }

    @Test
    void virtualThreadsAreSampled() throws Exception {
        AtomicLong allocated = new AtomicLong();
        var events = record(recording(), () -> {
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 100; t++) {
                threads.add(Thread.startVirtualThread(() -> allocated.addAndGet(inAVirtualThread())));
            }
            for (Thread thread : threads) thread.join();
        });
        var samples = from(events, "Allocation", "inAVirtualThread");
        assertThat(sum(samples, "weight")).isCloseTo(allocated.doubleValue(), withinPercentage(20));
        assertThat(samples).allMatch(e -> e.getThread().isVirtual());
    }

    private static long inAVirtualThread() { return work(1000, 80); }

    @Test
    void whatIsStillLiveIsToldAtTheEnd() throws Exception {
        List<Long> leaked = new ArrayList<>();
        var events = record(recording(), () -> Keeper.keep(leaked, 30_000, 112));
        var live = of(events, "Live").stream().filter(e -> e.getString("origin").contains("Keeper.keep")).toList();
        assertThat(live).isNotEmpty();
        assertThat(live.getFirst().getString("origin")).startsWith("dev.mimalloc.leaks.Keeper.keep:");
        assertThat(sum(live, "weight")).isCloseTo(leaked.size() * 112.0, withinPercentage(20));
        assertThat(sum(live, "samples")).isEqualTo(from(events, "Allocation", "keep").size());
        leaked.forEach(Mimalloc::free);
    }

    /**
     * The leak is little beside what comes and goes, and has few events of its own; but it is there. The rate allows 100
     * events in a window before the interval doubles, since the last event of a window stands for all that follows it: with
     * one event in a window the sum is a power of two, and any of three.
     */
    @Test
    void aLeakIsSeenBesideChurn() throws Exception {
        var recording = new Recording();
        recording.enable("dev.mimalloc.Allocation").with("interval", "4 kB").with("rate", "400/s");
        recording.enable("dev.mimalloc.Live").with("rate", "1000000000/s");
        List<Long> leaked = new ArrayList<>();
        long begun = System.nanoTime();
        var events = record(recording, () -> {
            for (int i = 0; i < 100; i++) {
                Keeper.churn(10_000, 1000);
                Keeper.keep(leaked, 300, 112);
            }
        });
        double seconds = (System.nanoTime() - begun) / 1e9;
        leaked.forEach(Mimalloc::free);
        // Of 250,000 samples: 100 for each doubling, and then two windows' worth in each.
        assertThat((double) of(events, "Allocation").size()).isLessThan(3000 + 800 * seconds);
        var live = of(events, "Live").stream().filter(e -> e.getString("origin").contains("Keeper.keep")).toList();
        assertThat(sum(live, "weight")).isCloseTo(100 * 300 * 112.0, withinPercentage(30));
        double churned = 100 * 10_000 * (double) Mimalloc.goodSize(1000);
        assertThat(sum(of(events, "Allocation"), "weight")).isBetween(churned * 0.3, churned * 1.7);
    }

    @Test
    void aStackTraceBeginsWithTheUser() throws Exception {
        var events = record(recording(), Keeper::useAll);
        var told = new ArrayList<>(of(events, "Allocation"));
        told.addAll(of(events, "Free"));
        told.removeIf(e -> e.getThread() == null || e.getThread().getJavaThreadId() != Thread.currentThread().threadId());
        assertThat(told.size()).isGreaterThan(500);
        for (RecordedEvent event : told) {
            // A shared arena's close is the JDK's, and calls us from its inside.
            if (event.getStackTrace().getFrames().stream().anyMatch(f -> f.getMethod().getType().getName()
                    .startsWith("jdk.internal.foreign."))) continue;
            RecordedFrame first = event.getStackTrace().getFrames().getFirst();
            assertThat(first.getMethod().getType().getName()).as(event.toString()).isEqualTo(Keeper.class.getName());
        }
    }

    /** The annotation needs each name: a class that is new in core must be entered in FlightCalled, too. */
    @Test
    void allOfCoreIsLeftOut() throws Exception {
        String left = Arrays.toString(Class.forName("dev.mimalloc.flight.FlightCalled").getAnnotations());
        for (String name : Boot.CLASSES.split(" ", -1)) assertThat(left).contains("\"dev.mimalloc.core." + name + "\"");
        for (String name : Boot.MACHINE.split(" ", -1)) assertThat(left).contains("\"dev.mimalloc.machine." + name + "\"");
    }

    @Test
    void heapsHaveNamesAndRefusals() throws Exception {
        var numbers = new ArrayList<Long>();
        var events = record(recording(), () -> {
            try (Heap heap = Heap.create("sessions")) {
                numbers.add(heap.number());
                heap.limit(64 << 20); // a sample takes 64 KiB of it
                for (int i = 0; i < 5000; i++) heap.malloc(100);
                try {
                    heap.malloc(100 << 20);
                } catch (OutOfMemoryError expected) {
                    assertThat(expected).hasMessageContaining("67108864");
                }
            }
        });
        assertThat(of(events, "Heap")).anyMatch(e -> e.getLong("heap") == 0 && e.getString("name").equals("main"));
        var last = of(events, "Heap").stream().filter(e -> e.getString("name").equals("sessions"))
                .sorted((a, b) -> a.getStartTime().compareTo(b.getStartTime())).toList().getLast();
        assertThat(last.getLong("heap")).isEqualTo(numbers.getFirst());
        assertThat(last.getLong("limit")).isEqualTo(64 << 20);
        assertThat(last.getLong("used")).isBetween(500_000L, 64L << 20);
        assertThat(last.getLong("refusals")).isEqualTo(1);
        assertThat(of(events, "Allocation")).anyMatch(e -> e.getLong("heap") == numbers.getFirst());
        var refusal = of(events, "Refusal").getFirst();
        assertThat(refusal.getString("message")).isEqualTo("no memory for 104857600 bytes");
        assertThat(methods(refusal).getFirst()).contains("heapsHaveNames");
    }

    @Test
    void pagesArenasAndPurgesAreTold() throws Exception {
        var recording = recording();
        recording.enable("dev.mimalloc.PageFresh");
        recording.enable("dev.mimalloc.PageFree");
        var events = record(recording, () -> {
            try (Heap heap = Heap.create()) {
                for (int i = 0; i < 5000; i++) heap.malloc(500);
                heap.malloc(3 << 20);
            }
            Mimalloc.collect(true);
            inASubprocess();
        });
        var fresh = of(events, "PageFresh");
        assertThat(fresh).anyMatch(e -> e.getLong("blockSize") == 512 && e.getLong("size") == 64 << 10
                && e.getLong("heap") != 0 && e.getLong("address") % (64 << 10) == 0);
        assertThat(fresh).anyMatch(e -> e.getLong("blockSize") == 3 << 20 && e.getLong("size") == 3 << 20);
        assertThat(of(events, "PageFree")).anyMatch(e -> e.getLong("blockSize") == 512 && e.getLong("heap") != 0);
        var reserved = of(events, "ArenaReserve").stream().filter(e -> methods(e).getFirst().contains("inASubprocess"))
                .toList().getLast();
        assertThat(reserved.getLong("size")).isGreaterThanOrEqualTo(1 << 20);
        assertThat(of(events, "ArenaRelease")).anyMatch(e -> e.getLong("address") == reserved.getLong("address")
                && e.getLong("size") == reserved.getLong("size"));
        assertThat(of(events, "Purge")).isNotEmpty().allMatch(e -> e.getLong("size") >= 64 << 10
                && e.getLong("address") != 0 && e.getDuration().isPositive());
    }

    /** Which has arenas of its own. */
    private static void inASubprocess() throws InterruptedException {
        long subprocess = Subprocesses.create();
        Thread.ofPlatform().start(() -> {
            Subprocesses.addCurrentThread(subprocess);
            Mimalloc.free(Mimalloc.malloc(100));
            Threads.done();
        }).join();
        Subprocesses.destroy(subprocess);
    }

    @Test
    void statisticsComePeriodically() throws Exception {
        long block = Mimalloc.malloc(50 << 20);
        List<RecordedEvent> statistics = List.of();
        for (int time = 500; statistics.size() <= 2 && time < 60_000; time *= 4) { // longer on a busy machine
            int milliseconds = time;
            var recording = new Recording();
            recording.enable("dev.mimalloc.Statistics").with("period", "20 ms");
            statistics = of(record(recording, () -> Thread.sleep(milliseconds)), "Statistics");
        }
        Mimalloc.free(block);
        assertThat(statistics.size()).isGreaterThan(2);
        for (RecordedEvent e : statistics) {
            assertThat(e.getLong("inUse")).isGreaterThanOrEqualTo(50 << 20).isLessThanOrEqualTo(e.getLong("inPagesPeak"));
            assertThat(e.getLong("committed")).isBetween(50L << 20, e.getLong("committedPeak"));
            assertThat(e.getLong("reserved")).isBetween(e.getLong("committed"), e.getLong("reservedPeak"));
            assertThat(e.getLong("pages")).isBetween(1L, e.getLong("pagesPeak"));
            assertThat(e.getLong("resident")).isBetween(1L << 20, e.getLong("residentPeak"));
            assertThat(e.getLong("arenas")).isPositive();
            assertThat(e.getLong("heaps")).isPositive();
            assertThat(e.getLong("threads")).isPositive();
        }
    }

    @Test
    void whatIsDisabledIsNotThere() throws Exception {
        var recording = new Recording();
        for (EventType type : events()) recording.disable(type.getName());
        var events = record(recording, () -> {
            work(100_000, 200);
            Mimalloc.free(Mimalloc.malloc(5 << 20));
            Mimalloc.collect(true);
        });
        assertThat(events).noneMatch(e -> e.getEventType().getName().startsWith("dev.mimalloc"));
        assertThat(Trace.sampleInterval()).as("without a recording").isZero();
    }

    /** With 250 samples before the interval doubles, and not 25, with which the sum is off by 60 % once in 10^5 runs. */
    @Test
    void theRateIsKept() throws Exception {
        var recording = new Recording();
        recording.enable("dev.mimalloc.Allocation").with("interval", "1 kB").with("rate", "1000/s");
        AtomicLong allocated = new AtomicLong();
        long begun = System.nanoTime();
        var events = record(recording, () -> {
            while (System.nanoTime() - begun < 1_000_000_000) allocated.addAndGet(work(10_000, 1000));
        });
        double seconds = (System.nanoTime() - begun) / 1e9;
        var samples = from(events, "Allocation", "theRateIsKept");
        // In the first quarter of a second 250 for each doubling, later at most twice as many as it should be.
        assertThat((double) samples.size()).isBetween(10.0, 250 * 40 + 2000 * seconds);
        assertThat(sum(samples, "weight")).isBetween(allocated.get() * 0.4, allocated.get() * 1.6);
    }

    private static List<EventType> events() {
        return FlightRecorder.getFlightRecorder().getEventTypes().stream()
                .filter(type -> type.getName().startsWith("dev.mimalloc.")).toList();
    }

    @Test
    void eventsHaveCategoriesLabelsAndUnits() {
        assertThat(events()).extracting(EventType::getName).containsExactlyInAnyOrder("dev.mimalloc.Allocation",
                "dev.mimalloc.Free", "dev.mimalloc.Live", "dev.mimalloc.PageFresh", "dev.mimalloc.PageFree",
                "dev.mimalloc.ArenaReserve", "dev.mimalloc.ArenaRelease", "dev.mimalloc.Purge",
                "dev.mimalloc.Statistics", "dev.mimalloc.Heap", "dev.mimalloc.Refusal");
        for (EventType type : events()) {
            assertThat(type.getCategoryNames().getFirst()).isEqualTo("mimalloc");
            assertThat(type.getLabel()).isNotBlank();
            assertThat(type.getDescription()).isNotBlank();
            assertThat(type.getFields()).allMatch(field -> field.getLabel() != null);
            for (var field : type.getFields()) {
                switch (field.getName()) {
                    case "address" -> assertThat(field.getAnnotation(MemoryAddress.class)).isNotNull();
                    case "limit", "used", "charged", "size", "weight", "blockSize", "inUse", "committed", "reserved", "purged", "resident" ->
                        assertThat(field.getAnnotation(DataAmount.class).value()).isEqualTo(DataAmount.BYTES);
                    case "lifetime", "oldest" ->
                        assertThat(field.getAnnotation(Timespan.class).value()).isEqualTo(Timespan.NANOSECONDS);
                    default -> {}
                }
            }
        }
    }

    /** JDK Mission Control's own parser knows the events by their labels, and their fields' units. */
    @Test
    void missionControlReadsIt() throws Exception {
        Path file = directory.resolve("mission.jfr");
        try (Recording recording = recording()) {
            recording.start();
            work(100_000, 112);
            recording.stop();
            recording.dump(file);
        }
        var events = JfrLoaderToolkit.loadEvents(file.toFile());
        var units = Map.of("address", UnitLookup.ADDRESS, "size", UnitLookup.MEMORY, "weight", UnitLookup.MEMORY,
                "lifetime", UnitLookup.TIMESPAN);
        for (var expected : Map.of("dev.mimalloc.Allocation", "Allocation Sample", "dev.mimalloc.Free",
                "Free of an Allocation Sample").entrySet()) {
            var items = events.apply(ItemFilters.type(expected.getKey()));
            assertThat(items.hasItems()).isTrue();
            for (IItemIterable some : items) {
                assertThat(some.getType().getName()).isEqualTo(expected.getValue());
                for (IAccessorKey<?> key : some.getType().getAccessorKeys().keySet()) {
                    var unit = units.get(key.getIdentifier());
                    if (unit != null) assertThat(key.getContentType()).isSameAs(unit);
                }
            }
            IAttribute<IQuantity> weight = Attribute.attr("weight", "Weight", UnitLookup.MEMORY);
            assertThat(items.getAggregate(Aggregators.sum(weight)).doubleValueIn(UnitLookup.BYTE))
                    .isCloseTo(100_000 * 112.0, withinPercentage(15));
        }
    }

    /** In a program whose Java run-time image has no flight recorder everything else works. */
    @Test
    void withoutTheModuleThereAreNoEvents() throws Exception {
        assertThat(java("--limit-modules", "java.base")).isEqualTo("without");
        assertThat(java("--limit-modules", "java.base,jdk.jfr")).isEqualTo("with");
    }

    private static String java(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
        command.addAll(List.of(options));
        String path = Path.of("target/classes") + ":" + Path.of("target/test-classes") + ":"
                + Path.of(Trace.class.getProtectionDomain().getCodeSource().getLocation().getPath());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", path, WithoutFlightRecorder.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }
}
