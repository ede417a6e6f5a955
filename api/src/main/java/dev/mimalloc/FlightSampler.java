package dev.mimalloc;

import static java.util.stream.Collectors.groupingBy;

import dev.mimalloc.machine.Trace;
import dev.mimalloc.machine.Unpinned;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;

/**
 * Makes events of what core tells.
 *
 * <p>A sample costs about 20 microseconds: its page, two stack traces and two events. That there are not too many is a
 * matter of the interval: it doubles whenever a quarter of a second has seen as many samples as the rate allows, and
 * goes back by halves when there are few. So no sample is dropped, and each has the weight of its own moment; at the
 * beginning of a burst there may be some more than the rate says.
 *
 * <p>Nothing here waits, since core may hold a lock or a lease: to commit an event is to write it to a buffer of the
 * thread's own, or to have the JVM give it another one; the live samples are in a lock-free map.
 */
final class FlightSampler implements Trace.Listener {
    static final long INTERVAL = 512 << 10;
    static final long RATE = 150;

    private static final FlightSampler SAMPLER = new FlightSampler();
    private static final long WINDOW = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int WINDOWS = 4; // in a second
    private static final long MOST = 1L << 60; // so that the double of an interval is one too

    private static final Runnable STATISTICS = FlightStatistics::commit; // the recorder does not keep these two
    private static final Runnable LIVE = SAMPLER::commitLive;

    /**
     * Between the begin and the end of a purge, which are one thread's: by its id. Not a ThreadLocal, since the end may
     * never be told, and then the thread would keep this class.
     */
    private static final ConcurrentSkipListMap<Long, FlightEvents.Purge> PURGES = new ConcurrentSkipListMap<>();

    private static boolean listening;
    private static volatile long least = INTERVAL;
    private static volatile long rate = RATE;

    private final AtomicLong seen = new AtomicLong(); // samples in this window
    private volatile long window = System.nanoTime(); // its begin; written by the housekeeper
    private final ConcurrentSkipListMap<Long, FlightSample> live = new ConcurrentSkipListMap<>();

    private FlightSampler() {}

    /** Makes the events known to the recorder. */
    static void register() {
        Trace.sampleEvery(INTERVAL);
        List<Class<? extends Event>> events = List.of(FlightEvents.Allocation.class, FlightEvents.Free.class,
                FlightEvents.Live.class, FlightEvents.PageFresh.class, FlightEvents.PageFree.class,
                FlightEvents.ArenaReserve.class, FlightEvents.ArenaRelease.class, FlightEvents.Purge.class,
                FlightEvents.Statistics.class);
        events.forEach(FlightRecorder::register);
        FlightRecorder.addPeriodicEvent(FlightEvents.Statistics.class, Unpinned.task(STATISTICS));
        FlightRecorder.addPeriodicEvent(FlightEvents.Live.class, Unpinned.task(LIVE));
    }

    /** Begins to listen, or ceases to. From one thread at a time. */
    static void listen(boolean listen) {
        if (listen == listening) return;
        listening = listen;
        SAMPLER.live.clear(); // what is freed while nobody listens stays unknown
        PURGES.clear();
        Trace.listener(listen ? SAMPLER : null);
    }

    static void interval(long bytes) {
        least = bytes;
        Trace.sampleEvery(bytes);
    }

    static void rate(long samples) { rate = samples; }

    @Override
    public long weigh(long size) {
        long every = Trace.sampleInterval();
        if (every == 0 || !new FlightEvents.Allocation().isEnabled()) return 0;
        // The chance that one of the block's bytes is a sample is 1 - e^(-size/every).
        long weight = Math.round(size / -Math.expm1(-(double) size / every));
        if (seen.incrementAndGet() % Math.max(1, rate / WINDOWS) == 0) Trace.sampleEvery(Math.min(2 * every, MOST));
        return weight;
    }

    /** The rate's windows; by the housekeeper, and so also when nobody allocates. */
    @Override
    public void tick() {
        long now = System.nanoTime();
        if (now - window < WINDOW) return;
        window = now;
        long every = Trace.sampleInterval();
        boolean few = seen.getAndSet(0) <= rate / WINDOWS / 2;
        if (few && every > least) Trace.sampleEvery(Math.max(least, every / 2));
    }

    @Override
    public void allocated(long block, long size, long weight, long heap) {
        boolean wantsOrigin = new FlightEvents.Live().isEnabled();
        live.put(block, new FlightSample(System.nanoTime(), size, weight, wantsOrigin ? new Throwable() : null));
        var event = new FlightEvents.Allocation();
        event.address = block;
        event.size = size;
        event.weight = weight;
        event.heap = heap;
        event.commit();
    }

    @Override
    public void freed(long block) {
        FlightSample sample = live.remove(block);
        if (sample == null) return; // of an earlier recording
        var event = new FlightEvents.Free();
        event.address = block;
        event.size = sample.size();
        event.weight = sample.weight();
        event.lifetime = System.nanoTime() - sample.time();
        event.commit();
    }

    @Override
    public void page(boolean fresh, long start, long bytes, long blockSize, long heap) {
        if (fresh) {
            var event = new FlightEvents.PageFresh();
            event.address = start;
            event.size = bytes;
            event.blockSize = blockSize;
            event.heap = heap;
            event.commit();
        } else {
            var event = new FlightEvents.PageFree();
            event.address = start;
            event.size = bytes;
            event.blockSize = blockSize;
            event.heap = heap;
            event.commit();
        }
    }

    @Override
    public void arena(boolean fresh, long start, long bytes) {
        if (fresh) {
            var event = new FlightEvents.ArenaReserve();
            event.address = start;
            event.size = bytes;
            event.commit();
        } else {
            var event = new FlightEvents.ArenaRelease();
            event.address = start;
            event.size = bytes;
            event.commit();
        }
    }

    @Override
    public void purging() {
        var event = new FlightEvents.Purge();
        if (!event.isEnabled()) return;
        event.begin();
        PURGES.put(Thread.currentThread().threadId(), event);
    }

    @Override
    public void purged(long start, long bytes) {
        FlightEvents.Purge event = PURGES.remove(Thread.currentThread().threadId());
        if (event == null) return;
        event.address = start;
        event.size = bytes;
        event.commit();
    }

    private void commitLive() {
        Map<String, List<FlightSample>> byOrigin = live.values().stream().collect(groupingBy(FlightSample::origin));
        byOrigin.forEach((origin, samples) -> {
            var event = new FlightEvents.Live();
            event.origin = origin;
            event.samples = samples.size();
            event.weight = samples.stream().mapToLong(FlightSample::weight).sum();
            event.oldest = System.nanoTime() - samples.stream().mapToLong(FlightSample::time).min().orElseThrow();
            event.commit();
        });
    }
}
