package dev.mimalloc.flight;

import static java.util.stream.Collectors.groupingBy;

import dev.mimalloc.HeapInfo;
import dev.mimalloc.base.Refusal;
import dev.mimalloc.base.SampleListener;
import dev.mimalloc.base.SampleListeners;
import dev.mimalloc.machine.Unpinned;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;

/**
 * Makes events of what core tells.
 *
 * <p>There are two kinds of samples. Those for {@link FlightEvents.Live} shall show what stays, and that may be little
 * of much: so there are more of them, and a bounded number is kept. Some of them have events, too, of their allocation
 * and their free: a sample without events costs less than one with them, as it has neither the two events nor their stack
 * traces.
 *
 * <p>That there are not too many is a matter of intervals, of one for each kind: it doubles whenever a quarter of a second
 * has seen as many samples as the rate allows, and goes back by halves when there are few. The smaller one is what this
 * class asks of {@link SampleListeners}, and each sample has the weight of its own moment. Of these samples one whose
 * weight is less than some bound is taken with a chance of weight by bound, and then it has the bound as its weight: so
 * sums of weights stay right on average, whatever the bounds were.
 *
 * <p>Nothing here waits, since core may hold a lock or a lease: to commit an event is to write it to a buffer of the
 * thread's own, or to have the JVM give it another one; the live samples are in a lock-free map.
 */
final class FlightSampler implements SampleListener, Consumer<String> {
    static final long INTERVAL = 512 << 10;
    static final long RATE = 150;
    static final long LIVE_RATE = 1000; // so one in seven has events

    /** How many samples are kept for their end, beside those with events: so that their Java heap is bounded. */
    static final int LIVE_MOST = 1 << 14;

    private static final FlightSampler SAMPLER = new FlightSampler();
    private static final long WINDOW = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int WINDOWS = 4; // in a second
    private static final long MOST = 1L << 60; // so that the double of an interval is one too

    private static final Runnable STATISTICS = FlightStatistics::commit; // the recorder does not keep these three
    private static final Runnable HEAPS = FlightSampler::commitHeaps;
    private static final Runnable LIVE = SAMPLER::commitLive;

    /**
     * Between the begin and the end of a purge, which are one thread's: by its id. Not a ThreadLocal, since the end may
     * never be told, and then the thread would keep this class.
     */
    private static final ConcurrentSkipListMap<Long, FlightEvents.Purge> PURGES = new ConcurrentSkipListMap<>();

    private static FlightHeaps heaps; // written once, before anybody listens
    private static boolean listening;
    private static volatile long least = INTERVAL;
    private static volatile long rate = RATE;
    private static volatile long liveRate = LIVE_RATE;

    private volatile long interval = INTERVAL;
    private final AtomicLong seen = new AtomicLong(); // samples in this window
    private final AtomicLong told = new AtomicLong(); // and those that have events
    private final AtomicLong every = new AtomicLong(INTERVAL); // the interval of those
    private volatile long liveWeight = 1; // the least weight of a live sample
    private volatile long window = System.nanoTime(); // its begin; written by the housekeeper
    private final ConcurrentSkipListMap<Long, FlightSample> live = new ConcurrentSkipListMap<>();

    private FlightSampler() {}

    /** Makes the events known to the recorder. */
    static void register(FlightHeaps heaps) {
        FlightSampler.heaps = heaps;
        List<Class<? extends Event>> events = List.of(FlightEvents.Allocation.class, FlightEvents.Free.class,
                FlightEvents.Live.class, FlightEvents.PageFresh.class, FlightEvents.PageFree.class,
                FlightEvents.ArenaReserve.class, FlightEvents.ArenaRelease.class, FlightEvents.Purge.class,
                FlightEvents.Statistics.class, FlightEvents.HeapState.class, FlightEvents.Refused.class);
        events.forEach(FlightRecorder::register);
        FlightRecorder.addPeriodicEvent(FlightEvents.Statistics.class, Unpinned.task(STATISTICS));
        FlightRecorder.addPeriodicEvent(FlightEvents.HeapState.class, Unpinned.task(HEAPS));
        FlightRecorder.addPeriodicEvent(FlightEvents.Live.class, Unpinned.task(LIVE));
    }

    /** Begins to listen, or ceases to. From one thread at a time. */
    static void listen(boolean listen) {
        if (listen == listening) return;
        listening = listen;
        SAMPLER.live.clear(); // what is freed while nobody listens stays unknown
        PURGES.clear();
        SAMPLER.liveWeight = 1;
        heaps.listener(listen ? FlightSampler::commitHeap : null);
        Refusal.listener(listen ? SAMPLER : null);
        if (listen) SampleListeners.add(SAMPLER);
        else SampleListeners.remove(SAMPLER);
    }

    static void interval(long bytes) {
        least = bytes;
        SAMPLER.every.set(bytes);
        SAMPLER.sampleEvery(bytes);
    }

    static void rate(long samples) { rate = samples; }

    static void liveRate(long samples) { liveRate = samples; }

    /** how many samples in a second there shall be. */
    private static long coreRate(boolean live) { return live ? Math.max(rate, liveRate) : rate; }

    /** Asks for samples at this interval. */
    private void sampleEvery(long bytes) {
        interval = bytes;
        SampleListeners.update();
    }

    @Override
    public long interval() { return interval; }

    @Override
    public boolean wantsSamples() {
        return new FlightEvents.Live().isEnabled() || new FlightEvents.Allocation().isEnabled();
    }

    /** Counts a sample: when there are many, the next ones shall be fewer. */
    private void count(boolean live) {
        long every = interval;
        if (seen.incrementAndGet() % Math.max(1, coreRate(live) / WINDOWS) == 0) sampleEvery(Math.min(2 * every, MOST));
    }

    /** The rate's windows; by the housekeeper, and so also when nobody allocates. */
    @Override
    public void tick() {
        long now = System.nanoTime();
        if (now - window < WINDOW) return;
        window = now;
        long every = interval;
        boolean few = seen.getAndSet(0) <= coreRate(new FlightEvents.Live().isEnabled()) / WINDOWS / 2;
        if (few && every > least) sampleEvery(Math.max(least, every / 2));
        boolean fewTold = told.getAndSet(0) <= rate / WINDOWS / 2;
        if (fewTold) this.every.updateAndGet(bytes -> Math.max(least, bytes / 2));
        trim();
    }

    /** The weight of a sample's events; 0 if it has none. */
    private long tell(long weight) {
        long told = new FlightEvents.Allocation().isEnabled() ? SampleListeners.thinned(weight, every.get()) : 0;
        if (told != 0 && this.told.incrementAndGet() % Math.max(1, rate / WINDOWS) == 0) {
            every.updateAndGet(bytes -> Math.min(2 * bytes, MOST));
        }
        return told;
    }

    /** Keeps fewer live samples, of more weight each, when there are too many; by the housekeeper. */
    private void trim() {
        while (live.size() > LIVE_MOST) {
            long bound = live.values().stream().mapToLong(FlightSample::liveWeight).filter(w -> w != 0).min().orElse(0);
            if (bound == 0) return; // all of them wait for the event of their free
            liveWeight = Math.min(2 * Math.max(bound, liveWeight), MOST);
            live.forEach((block, sample) -> {
                if (!sample.thin(liveWeight)) live.remove(block, sample);
            });
        }
        if (live.size() < LIVE_MOST / 4 && liveWeight > 1) liveWeight /= 2;
    }

    @Override
    public void allocated(long block, long asked, long size, long weight, long heap) {
        boolean wantsOrigin = new FlightEvents.Live().isEnabled();
        count(wantsOrigin);
        long liveWeight = wantsOrigin ? SampleListeners.thinned(weight, this.liveWeight) : 0;
        long told = tell(weight);
        if (told == 0 && liveWeight == 0) return;
        Throwable stack = liveWeight == 0 ? null : new Throwable();
        live.put(block, new FlightSample(System.nanoTime(), asked, told, liveWeight, stack));
        if (told == 0) return;
        var event = new FlightEvents.Allocation();
        event.address = block;
        event.size = asked;
        event.weight = told;
        event.heap = heap;
        event.commit();
    }

    @Override
    public void freed(long block) {
        FlightSample sample = live.remove(block);
        if (sample == null || sample.weight() == 0) return; // of an earlier recording, or only to see what stays
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

    private static void commitHeaps() { heaps.infos().forEach(FlightSampler::commitHeap); }

    private static void commitHeap(HeapInfo heap) {
        var event = new FlightEvents.HeapState();
        event.heap = heap.number();
        event.name = heap.name();
        event.limit = heap.limit();
        event.used = heap.used();
        event.refusals = heap.refusals();
        event.commit();
    }

    /** An allocation was refused. Not a lambda, which would stand in the stack trace by another name than this class. */
    @Override
    public void accept(String message) {
        var event = new FlightEvents.Refused();
        event.message = message;
        event.commit();
    }

    private void commitLive() {
        Map<String, List<FlightSample>> byOrigin = live.values().stream().filter(s -> s.liveWeight() != 0).collect(groupingBy(FlightSample::origin));
        byOrigin.forEach((origin, samples) -> {
            var event = new FlightEvents.Live();
            event.origin = origin;
            event.samples = samples.size();
            event.weight = samples.stream().mapToLong(FlightSample::liveWeight).sum();
            event.oldest = System.nanoTime() - samples.stream().mapToLong(FlightSample::time).min().orElseThrow();
            event.commit();
        });
    }
}
