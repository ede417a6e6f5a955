package dev.mimalloc.profile;

import dev.mimalloc.base.Frames;
import dev.mimalloc.base.SampleListener;
import dev.mimalloc.base.SampleListeners;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Counts samples by the stacks that have allocated them.
 *
 * <p>Nothing here waits, since core may hold a lock or a lease. What is kept is bounded: the stacks by their number, the
 * live samples by what is in use, since on average there is one in an interval's bytes.
 */
public final class StackSampler implements SampleListener {
    /** So many bytes lie between two samples, on average, if nobody says otherwise. */
    public static final long INTERVAL = 512 << 10;

    static final int STACKS_MOST = 1 << 16;
    static final int DEPTH = 64; // as much as a recording has of a stack trace by default

    /** More bytes than there are addresses: with it nothing is a sample. */
    private static final long INTERVAL_MOST = 1L << 48;

    private final long interval;
    private final int most;
    private final Interned<Frame> frames = new Interned<>();
    private final Interned<CountedStack> stacks = new Interned<>();
    private final CountedStack others = new CountedStack(Frame.named("[other stacks]"));
    private final ConcurrentSkipListMap<Long, Live> live = new ConcurrentSkipListMap<>(); // by address
    private volatile boolean stopped;

    private record Live(CountedStack stack, long parts, long bytes) {
        void end() { stack.freed(parts, bytes); }
    }

    StackSampler(long interval, int most) {
        this.interval = interval;
        this.most = most;
    }

    /** One that listens from now on. */
    public static StackSampler start(long interval) {
        rehearse();
        StackSampler sampler = new StackSampler(Math.min(interval, INTERVAL_MOST), STACKS_MOST);
        SampleListeners.add(sampler);
        return sampler;
    }

    /** So that in the middle of the allocator no class is loaded: it does once all that there may be to do. */
    private static void rehearse() {
        StackSampler sampler = new StackSampler(1, 0);
        for (int i = 0; i < 2; i++) sampler.allocated(1, 1, 1, 1, 0);
        sampler.freed(1);
        for (int i = 0; i < 2; i++) sampler.stacks.add(new CountedStack(Frame.named("")));
    }

    /** Listens no longer; the counts stay as they are. */
    public void stop() {
        SampleListeners.remove(this);
        stopped = true;
        live.clear();
    }

    @Override
    public long interval() { return interval; }

    @Override
    public void allocated(long block, long asked, long size, long weight, long heap) {
        if (stopped) return;
        long parts = CountedStack.parts(size, weight);
        CountedStack stack = stack();
        Live before = live.put(block, new Live(stack, parts, weight));
        stack.allocated(parts, weight);
        if (before != null) before.end(); // its free was not told: the thread's stack was full
    }

    @Override
    public void freed(long block) {
        Live sample = live.remove(block);
        if (sample != null && !stopped) sample.end();
    }

    /** The current stack, from the allocator's caller outwards; when there are too many already, the one for all others. */
    private CountedStack stack() {
        StackTraceElement[] all = new Throwable().getStackTrace(); // takes half the time of a StackWalker
        int from = 0;
        while (from < all.length && isInside(all[from].getClassName())) from++;
        Frame[] places = new Frame[Math.min(DEPTH, all.length - from)];
        for (int i = 0; i < places.length; i++) places[i] = frame(all[from + i]);
        CountedStack stack = new CountedStack(places);
        CountedStack known = stacks.find(stack);
        if (known != null) return known;
        return stacks.size() < most ? stacks.add(stack) : others;
    }

    /** The frame of a place, of which there is one. */
    private Frame frame(StackTraceElement place) {
        Frame frame = Frame.of(place), known = frames.find(frame);
        return known != null ? known : frames.add(frame);
    }

    /** An arena is asked by the JDK's own class where a segment is wanted without an alignment. */
    private static boolean isInside(String type) {
        return Frames.isOwn(type) || type.equals("java.lang.foreign.SegmentAllocator");
    }

    /** The stacks that were seen, in no order. */
    List<CountedStack> stacks() {
        List<CountedStack> all = stacks.all();
        if (others.counts()[CountedStack.ALLOC_OBJECTS] != 0) all.add(others);
        return all;
    }
}
