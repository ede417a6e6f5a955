package dev.mimalloc.tracking;

import dev.mimalloc.base.Frames;
import dev.mimalloc.base.Settings;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** Where a call of the allocator came from, without the allocator's own frames. Equal ones are the same object. */
public final class CallStack {
    /** Where there was no memory for more. */
    static final CallStack UNKNOWN = new CallStack(new StackTraceElement[0]);

    private static final int DEPTH = (int) Math.min(Settings.number("leaks.depth", 16), Integer.MAX_VALUE);
    private static final int OWN_DEPTH = 16; // more than there is between a public method and this class
    private static final StackWalker WALKER = StackWalker.getInstance();
    private static final ConcurrentHashMap<CallStack, CallStack> KNOWN = new ConcurrentHashMap<>();

    private final StackTraceElement[] frames;
    private final int hash;

    private CallStack(StackTraceElement[] frames) {
        this.frames = frames;
        this.hash = Arrays.hashCode(frames);
    }

    static CallStack capture() {
        if (DEPTH == 0) return UNKNOWN;
        CallStack stack = new CallStack(WALKER.walk(CallStack::callers));
        CallStack known = KNOWN.putIfAbsent(stack, stack);
        return known == null ? stack : known;
    }

    /** For who has to go on even if there is no memory. */
    static CallStack captureIfPossible() {
        try {
            return capture();
        } catch (OutOfMemoryError e) {
            return UNKNOWN;
        }
    }

    private static StackTraceElement[] callers(Stream<StackWalker.StackFrame> frames) {
        return frames.limit(OWN_DEPTH + (long) DEPTH).dropWhile(CallStack::isOwn).limit(DEPTH)
                .map(StackWalker.StackFrame::toStackTraceElement).toArray(StackTraceElement[]::new);
    }

    private static boolean isOwn(StackWalker.StackFrame frame) { return Frames.isOwn(frame.getClassName()); }

    public List<StackTraceElement> frames() { return List.of(frames); }

    StackTraceElement[] toArray() { return frames.clone(); }

    @Override
    public boolean equals(Object other) { return other instanceof CallStack o && Arrays.equals(frames, o.frames); }

    @Override
    public int hashCode() { return hash; }
}
