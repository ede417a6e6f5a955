package dev.mimalloc.base;

import dev.mimalloc.machine.Trace;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Who listens to core, which knows one listener and one interval: a flight recording and any number of profiles, each at
 * an interval of its own.
 *
 * <p>Core samples at the smallest of the intervals. A listener with a larger one hears of fewer samples, which weigh more: a
 * sample whose weight is less than its interval is passed on with a chance of weight by interval, and then it weighs
 * the interval. So each listener's sums of weights are right on average, also while others come and go.
 */
public final class SampleListeners implements Trace.Listener {
    private static final SampleListeners ALL = new SampleListeners();

    private static volatile SampleListener[] listeners = {}; // replaced as a whole, by one thread at a time

    private SampleListeners() {}

    /** From now on this one listens, too. */
    public static synchronized void add(SampleListener listener) {
        SampleListener[] before = listeners;
        SampleListener[] after = new SampleListener[before.length + 1];
        System.arraycopy(before, 0, after, 0, before.length);
        after[before.length] = listener;
        listeners = after;
        update();
        Trace.listener(ALL);
    }

    /** This one listens no longer, though a call that has begun may still reach it; any other is as it was. */
    public static synchronized void remove(SampleListener listener) {
        SampleListener[] before = listeners;
        int at = 0;
        while (at < before.length && !before[at].equals(listener)) at++;
        if (at == before.length) return;
        SampleListener[] after = new SampleListener[before.length - 1];
        System.arraycopy(before, 0, after, 0, at);
        System.arraycopy(before, at + 1, after, at, after.length - at);
        if (after.length == 0) Trace.listener(null);
        listeners = after;
        update();
    }

    /** A listener's interval has changed. From any thread, which does not wait: the last one to write looks again. */
    public static void update() {
        long least = least();
        do Trace.sampleEvery(least);
        while (least != (least = least()));
    }

    private static long least() {
        long least = 0;
        for (SampleListener listener : listeners) {
            long interval = listener.interval();
            if (least == 0 || interval < least) least = interval;
        }
        return least;
    }

    /** The weight of a sample among those that weigh at least {@code bound}; 0 if it is none of them. */
    public static long thinned(long weight, long bound) {
        if (weight >= bound) return weight;
        return ThreadLocalRandom.current().nextLong(bound) < weight ? bound : 0;
    }

    /** The weight is told later, to each its own; until then it is the size that all of them follow from. */
    @Override
    public long weigh(long size) {
        for (SampleListener listener : listeners) if (listener.wantsSamples()) return size;
        return 0;
    }

    @Override
    public void allocated(long block, long asked, long size, long heap) {
        long interval = Trace.sampleInterval();
        if (interval == 0) return;
        // The chance that one of the block's bytes is a sample is 1 - e^(-size/interval).
        long weight = Math.round(size / -Math.expm1(-(double) size / interval));
        Throwable fault = null;
        for (SampleListener listener : listeners) {
            try {
                long own = listener.wantsSamples() ? thinned(weight, listener.interval()) : 0;
                if (own != 0) listener.allocated(block, asked, size, own, heap);
            } catch (RuntimeException | Error e) {
                fault = e; // the others are told all the same
            }
        }
        pass(fault);
    }

    @Override
    public void freed(long block) {
        Throwable fault = null;
        for (SampleListener listener : listeners) {
            try {
                listener.freed(block);
            } catch (RuntimeException | Error e) {
                fault = e;
            }
        }
        pass(fault);
    }

    /** Trace counts what is thrown. */
    private static void pass(Throwable fault) {
        if (fault instanceof Error e) throw e;
        if (fault != null) throw (RuntimeException) fault;
    }

    @Override
    public void page(boolean fresh, long start, long bytes, long blockSize, long heap) {
        for (SampleListener listener : listeners) listener.page(fresh, start, bytes, blockSize, heap);
    }

    @Override
    public void arena(boolean fresh, long start, long bytes) {
        for (SampleListener listener : listeners) listener.arena(fresh, start, bytes);
    }

    @Override
    public void purging() {
        for (SampleListener listener : listeners) listener.purging();
    }

    @Override
    public void purged(long start, long bytes) {
        for (SampleListener listener : listeners) listener.purged(start, bytes);
    }

    @Override
    public void tick() {
        for (SampleListener listener : listeners) listener.tick();
    }
}
