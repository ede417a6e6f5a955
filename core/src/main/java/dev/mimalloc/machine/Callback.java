package dev.mimalloc.machine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Calls of functions that a user has handed in. In C the first argument is the function's address; here it is a
 * handle from {@link #register}, never 0. What a function throws goes to the thread's handler of uncaught exceptions,
 * and one with a result has said no: the allocator is in the middle of something, and its caller asked for nothing of
 * the kind.
 */
public final class Callback {
    private static final int EAGAIN = 11, EFAULT = 14, EINVAL = 22;

    private static final Map<Long, Object> FUNCTIONS = new ConcurrentHashMap<>();
    private static final ThreadLocal<Boolean> IN_LIMIT = new ThreadLocal<>();
    private static final ThreadLocal<String> STORY = new ThreadLocal<>();
    private static final ThreadLocal<Boolean> REPORTING = new ThreadLocal<>();
    private static final AtomicLong LAST = new AtomicLong();

    /** {@link #deferredFree}. */
    @FunctionalInterface
    public interface DeferredFree { void free(boolean force, long heartbeat, long arg); }
    /** {@link #output}; the text is zero-terminated. */
    @FunctionalInterface
    public interface Output { void write(long text, long arg); }
    /** {@link #error}. */
    @FunctionalInterface
    public interface ErrorHandler { void error(int code, long arg); }
    /** {@link #visitBlock}. */
    @FunctionalInterface
    public interface BlockVisitor {
        boolean visit(long heap, long area, long block, long blockSize, long arg);
    }
    /** {@link #visitHeap}. */
    @FunctionalInterface
    public interface HeapVisitor { boolean visit(long heap, long arg); }
    /** {@link #commit}. */
    @FunctionalInterface
    public interface Committer {
        boolean commit(boolean commit, long start, long size, long isZeroAddress, long arg);
    }

    /** {@link #limit}. */
    @FunctionalInterface
    public interface LimitHandler {
        boolean exceeded(long heap, long size, long used, long limit);
    }

    private Callback() {}

    /** A handle for a function of one of the types above. JVM only. */
    public static long register(Object function) {
        long handle = LAST.incrementAndGet();
        FUNCTIONS.put(handle, function);
        return handle;
    }

    /** Forgets a handle; 0 is nothing to forget. JVM only. */
    public static void unregister(long handle) { FUNCTIONS.remove(handle); }

    public static void deferredFree(long f, boolean force, long heartbeat, long arg) {
        try {
            if (function(f) instanceof DeferredFree deferred) deferred.free(force, heartbeat, arg);
        } catch (Throwable t) {
            report(t);
        }
    }

    public static void output(long f, long text, long arg) {
        try {
            if (!(function(f) instanceof Output output)) return;
            Boolean outer = REPORTING.get();
            REPORTING.set(true);
            try {
                output.write(text, arg);
            } finally {
                if (outer == null) REPORTING.remove();
            }
        } catch (Throwable t) {
            report(t);
        }
    }

    public static void error(long f, int code, long arg) {
        try {
            if (!(function(f) instanceof ErrorHandler handler)) return;
            Boolean outer = REPORTING.get();
            REPORTING.set(true);
            try {
                handler.error(code, arg);
            } finally {
                if (outer == null) REPORTING.remove();
            }
        } catch (Throwable t) {
            report(t);
        }
    }

    /** Is the current thread inside of an error or output function? Then a call is, too, that core says nothing of. */
    public static boolean isReporting() { return REPORTING.get() != null; }

    public static boolean visitBlock(long f, long heap, long area, long block, long blockSize, long arg) {
        try {
            return function(f) instanceof BlockVisitor visitor && visitor.visit(heap, area, block, blockSize, arg);
        } catch (Throwable t) {
            report(t);
            return false;
        }
    }

    public static boolean visitHeap(long f, long heap, long arg) {
        try {
            return function(f) instanceof HeapVisitor visitor && visitor.visit(heap, arg);
        } catch (Throwable t) {
            report(t);
            return false;
        }
    }

    public static boolean commit(long f, boolean commit, long start, long size, long isZeroAddress, long arg) {
        try {
            return function(f) instanceof Committer committer
                    && committer.commit(commit, start, size, isZeroAddress, arg);
        } catch (Throwable t) {
            report(t);
            return false;
        }
    }

    /**
     * A limit forbids an allocation; true if it may be tried again. The heap is 0 for the limit of the process. What
     * the function itself allocates calls it no second time. JVM only.
     */
    public static boolean limit(long f, long heap, long size, long used, long limit, long arg) {
        try {
            if (IN_LIMIT.get() != null || !(function(f) instanceof LimitHandler handler)) return false;
            IN_LIMIT.set(true);
            try {
                return handler.exceeded(heap, size, used, limit);
            } finally {
                IN_LIMIT.remove();
            }
        } catch (Throwable t) {
            report(t);
            return false;
        }
    }

    /** A profiler's sample was allocated; how many bytes one of is to be a sample from now on, 0 for as many as before. C only. */
    public static long sampleAllocated(long f, long profiler, long data, long block, long size, long rate, long since, long heap) {
        return 0;
    }

    /** A profiler's sample was freed. C only. */
    public static void sampleFreed(long f, long profiler, long data, long block, long heap) {}

    /** A profiler is to write down what it knows. C only. */
    public static void snapshot(long f, long profiler) {}

    private static void report(Throwable thrown) {
        try {
            Thread self = Thread.currentThread();
            self.getUncaughtExceptionHandler().uncaughtException(self, thrown);
        } catch (Throwable ignored) {
            // The thread's handler for uncaught exceptions has failed, too: there is nobody else to report to.
        }
    }

    // A function may have been unregistered while another thread was about to call it: then there is nothing to call.
    private static Object function(long handle) { return FUNCTIONS.get(handle); }

    /** C++ only: runs the installed new handler; false when there is none. */
    public static boolean newHandler() { return false; }

    /**
     * Calls the new-handler for those forms of {@code new} that throw nothing: an exception of the handler's ends here,
     * and false says that there is no use in calling it again.
     */
    public static boolean newHandlerCaught() { return false; }

    /** C++ only: throws {@code std::bad_alloc}. */
    public static void badAlloc() {}

    /**
     * Makes a user's mistake an exception, before anything has changed: {@code IllegalArgumentException} for EINVAL
     * and EFAULT, {@code IllegalStateException} for EAGAIN, a block that is free already. For other codes, and in C,
     * it returns, and the caller gives its result that stands for failure.
     *
     * @param number the value is a number, and no address
     */
    public static void raise(int code, long text, long value, boolean number) {
        switch (code) {
            case EINVAL, EFAULT -> throw new IllegalArgumentException(message(text, value, number), cause(value, number));
            case EAGAIN -> throw new IllegalStateException(message(text, value, number), cause(value, number));
            default -> {}
        }
    }

    /**
     * What is known of an address, in lines: for the exception that {@link #raise} throws in this thread next. False in C,
     * where it is for core to print.
     */
    public static boolean keepStory(long text) {
        if (text == 0) return false;
        STORY.set(Text.string(text).stripTrailing());
        return true;
    }

    private static String message(long text, long value, boolean number) {
        String message = Text.string(text).strip() + ": " + (number ? "" + value : "0x" + Long.toHexString(value));
        String story = STORY.get();
        STORY.remove();
        return story == null ? message : message + "\n" + story;
    }

    private static Throwable cause(long value, boolean number) { return number ? null : Callers.stacksOf(value); }
}
