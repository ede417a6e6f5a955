package dev.mimalloc.flight;

import dev.mimalloc.base.Frames;
import dev.mimalloc.base.SampleListeners;
import java.util.Arrays;
import java.util.stream.Collectors;

/** A sampled block that somebody has. */
final class FlightSample {
    private static final int DEPTH = 64; // as much as a recording has of a stack trace by default

    private final long time;
    private final long size;
    private final long weight; // of its events; 0 if it has none
    private volatile long liveWeight; // among the live samples; 0 if it is none of them; written by the housekeeper
    private Throwable stack; // until its text is asked for: it is cheap to make, but keeps classes alive
    private String origin = "";

    FlightSample(long time, long size, long weight, long liveWeight, Throwable stack) {
        this.time = time;
        this.size = size;
        this.weight = weight;
        this.liveWeight = liveWeight;
        this.stack = stack;
    }

    long time() { return time; }
    long size() { return size; }
    long weight() { return weight; }
    long liveWeight() { return liveWeight; }

    /** Live samples of less weight become fewer; false if this one is needed no longer. */
    boolean thin(long bound) {
        if (liveWeight != 0) liveWeight = SampleListeners.thinned(liveWeight, bound);
        return weight != 0 || liveWeight != 0;
    }

    /** Who has allocated it: a line for each frame, the innermost first. For one thread at a time. */
    String origin() {
        if (stack == null) return origin;
        origin = Arrays.stream(stack.getStackTrace()).dropWhile(FlightSample::isInside).limit(DEPTH)
                .map(FlightSample::text).collect(Collectors.joining("\n")).intern();
        stack = null;
        return origin;
    }

    private static String text(StackTraceElement frame) {
        return frame.getClassName() + "." + frame.getMethodName() + ":" + frame.getLineNumber();
    }

    private static boolean isInside(StackTraceElement frame) { return Frames.isOwn(frame.getClassName()); }
}
