package dev.mimalloc.micrometer;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import dev.mimalloc.Statistics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/**
 * The allocator's statistics as meters of Micrometer. Sizes are in bytes.
 *
 * <table>
 * <caption>The whole allocator</caption>
 * <tr><th>meter</th><th>what</th></tr>
 * <tr><td>{@code mimalloc.memory.reserved}, {@code .peak}</td><td>addresses that are reserved</td></tr>
 * <tr><td>{@code mimalloc.memory.committed}, {@code .peak}</td><td>memory that may be touched</td></tr>
 * <tr><td>{@code mimalloc.memory.purged}</td><td>memory given back to the system; counter</td></tr>
 * <tr><td>{@code mimalloc.os.calls}</td><td>calls of the system by {@code call}: mmap, commit, reset, purge;
 * counter</td></tr>
 * <tr><td>{@code mimalloc.arenas}, {@code mimalloc.threads}, {@code mimalloc.heaps}</td><td>how many there
 * are</td></tr>
 * </table>
 *
 * <table>
 * <caption>For the whole allocator, and with {@code mimalloc.heap} instead of {@code mimalloc} and the tag {@code heap}
 * for each heap that was named</caption>
 * <tr><th>meter</th><th>what</th></tr>
 * <tr><td>{@code mimalloc.blocks.used}, {@code .peak}</td><td>bytes in live blocks by {@code kind}: normal or
 * huge</td></tr>
 * <tr><td>{@code mimalloc.blocks.allocated}</td><td>bytes that were ever given out, likewise; counter</td></tr>
 * <tr><td>{@code mimalloc.allocations}</td><td>blocks that were ever given out, likewise; counter</td></tr>
 * <tr><td>{@code mimalloc.pages}, {@code .peak}, {@code .abandoned}</td><td>pages, and those that no thread
 * owns</td></tr>
 * <tr><td>{@code mimalloc.pages.memory}</td><td>bytes that the pages have for blocks</td></tr>
 * <tr><td>{@code mimalloc.pages.reclaimed}</td><td>abandoned pages that were taken over, {@code by} an allocation or a
 * free; counter</td></tr>
 * <tr><td>{@code mimalloc.memory.limit}</td><td>the limit in bytes, 0 for none: {@link Heap#limit()}</td></tr>
 * <tr><td>{@code mimalloc.memory.charged}</td><td>bytes that count where a limit is set: {@link Heap#used}</td></tr>
 * <tr><td>{@code mimalloc.refusals}</td><td>allocations that have failed, at a limit or for another reason;
 * counter</td></tr>
 * </table>
 *
 * <p>How exact the values are, {@link Statistics} tells. When a named heap has been closed its gauges have no value
 * (NaN), and its counters stay as they are. All meters of a scrape are from one snapshot.
 *
 * <p>An instance may be bound to several registries, by any thread. The meters hold the heaps that were named.
 */
public final class MimallocMetrics implements MeterBinder {
    /** A scrape reads its meters one after the other, in less than this. */
    private static final Duration MAX_AGE = Duration.ofMillis(50);

    private final Map<String, Heap> heaps;
    private final Tags tags;
    private final long maxAgeNanos;

    /** For the whole allocator. */
    public MimallocMetrics() { this(Map.of()); }

    /**
     * For the whole allocator, and for some heaps, each by a name of your choice.
     *
     * @param heaps the heaps, by the names that tag their meters
     */
    public MimallocMetrics(Map<String, Heap> heaps) { this(heaps, Tags.empty()); }

    /**
     * The same, with more tags at each meter.
     *
     * @param heaps the heaps, by the names that tag their meters
     * @param tags what each meter has beside its own tags
     */
    public MimallocMetrics(Map<String, Heap> heaps, Iterable<Tag> tags) { this(heaps, tags, MAX_AGE); }

    /**
     * The same, with a choice of how old a snapshot may be that meters share; by default it is 50 ms.
     *
     * @param heaps the heaps, by the names that tag their meters
     * @param tags what each meter has beside its own tags
     * @param maxAge how old a snapshot may be; 0 for a new one at each meter
     * @throws IllegalArgumentException if the age is negative
     */
    public MimallocMetrics(Map<String, Heap> heaps, Iterable<Tag> tags, Duration maxAge) {
        if (maxAge.isNegative()) throw new IllegalArgumentException("maxAge is negative: " + maxAge);
        this.heaps = new TreeMap<>(heaps);
        this.tags = Tags.of(tags);
        this.maxAgeNanos = maxAge.toNanos();
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        var whole = new Meters(registry, "mimalloc", tags, new Source(Mimalloc::statistics, maxAgeNanos));
        whole.blocks();
        whole.system();
        whole.limits(Mimalloc::limit, Mimalloc::used, Mimalloc::refusals);
        heaps.forEach((name, heap) -> {
            var meters = new Meters(registry, "mimalloc.heap", tags.and("heap", name),
                    new Source(heap::statistics, maxAgeNanos));
            meters.blocks();
            meters.limits(heap::limit, heap::used, heap::refusals);
        });
    }

    /** The meters of the whole allocator or of one heap. */
    private record Meters(MeterRegistry registry, String prefix, Tags tags, Source source) {
        void blocks() {
            kind("normal", Statistics::mallocNormal, Statistics::mallocNormalCount);
            kind("huge", Statistics::mallocHuge, Statistics::mallocHugeCount);
            peaked("pages", null, "Pages, of blocks of one size each", Statistics::pages);
            gauge("pages.abandoned", null, "Pages that no thread owns", s -> s.pagesAbandoned().current());
            gauge("pages.memory", BaseUnits.BYTES, "What pages have for blocks", s -> s.pageCommitted().current());
            reclaimed("allocation", Statistics::pagesReclaimOnAlloc);
            reclaimed("free", Statistics::pagesReclaimOnFree);
        }

        /** These are asked for at each scrape: each is one word. */
        void limits(LongSupplier limit, LongSupplier used, LongSupplier refusals) {
            now("memory.limit", "The limit of what there may be; 0 for any amount", limit);
            now("memory.charged", "What counts where a limit is set: whole pages", used);
            FunctionCounter.builder(prefix + ".refusals", source, self -> refusals.getAsLong())
                    .description("Allocations that have failed, at a limit or for another reason").tags(tags)
                    .register(registry);
        }

        private void now(String name, String description, LongSupplier bytes) {
            Gauge.builder(prefix + "." + name, source, self -> Source.unlessClosed(bytes)).description(description)
                    .baseUnit(BaseUnits.BYTES).tags(tags).register(registry);
        }

        void system() {
            peaked("memory.reserved", BaseUnits.BYTES, "Addresses that are reserved", Statistics::reserved);
            peaked("memory.committed", BaseUnits.BYTES, "Memory that may be touched", Statistics::committed);
            counter("memory.purged", BaseUnits.BYTES, "Memory given back to the system", Statistics::purged);
            call("mmap", Statistics::mmapCalls);
            call("commit", Statistics::commitCalls);
            call("reset", Statistics::resetCalls);
            call("purge", Statistics::purgeCalls);
            gauge("arenas", "arenas", "Arenas", Statistics::arenaCount);
            gauge("threads", BaseUnits.THREADS, "Threads with memory of their own", s -> s.threads().current());
            gauge("heaps", "heaps", "Heaps", s -> s.heaps().current());
        }

        private Meters and(String tag, String value) {
            return new Meters(registry, prefix, tags.and(tag, value), source);
        }

        private void kind(String kind, Function<Statistics, Statistics.Count> bytes,
                ToLongFunction<Statistics> blocks) {
            Meters meters = and("kind", kind);
            meters.gauge("blocks.used", BaseUnits.BYTES, "In blocks that are in use", s -> bytes.apply(s).current());
            meters.gauge("blocks.used.peak", BaseUnits.BYTES, "The most in blocks that were in use when one looked",
                    s -> bytes.apply(s).peak());
            meters.counter("blocks.allocated", BaseUnits.BYTES, "In blocks that were ever given out",
                    s -> bytes.apply(s).total());
            meters.counter("allocations", "allocations", "Blocks that were ever given out", blocks);
        }

        private void call(String call, ToLongFunction<Statistics> calls) {
            and("call", call).counter("os.calls", "calls", "Calls of the system", calls);
        }

        private void reclaimed(String by, ToLongFunction<Statistics> pages) {
            and("by", by).counter("pages.reclaimed", null, "Abandoned pages that were taken over", pages);
        }

        private void peaked(String name, String unit, String description,
                Function<Statistics, Statistics.Count> field) {
            gauge(name, unit, description, s -> field.apply(s).current());
            gauge(name + ".peak", unit, description + ": the most at a time", s -> field.apply(s).peak());
        }

        private void gauge(String name, String unit, String description, ToLongFunction<Statistics> field) {
            Gauge.builder(prefix + "." + name, source, source.gauge(field)).description(description).baseUnit(unit)
                    .tags(tags).register(registry);
        }

        private void counter(String name, String unit, String description, ToLongFunction<Statistics> field) {
            FunctionCounter.builder(prefix + "." + name, source, source.counter(field)).description(description)
                    .baseUnit(unit).tags(tags).register(registry);
        }
    }
}
