package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * System calls, by {@code syscall} of the C library, glibc or musl: each type of a C function costs the JVM some time
 * when it is linked, and even the first one a tenth of a second of the processor's.
 *
 * <p>So it is linked when it is needed: by the first call, or by the housekeeper when the program has run for a while.
 * That loads hundreds of classes of the JDK's and takes much stack, and the first call may come in the middle of an
 * update, on a stack that is almost full: so a thread of its own does it, and the caller waits. If that fails for want
 * of Java heap the call has failed, as if the system had refused, and the next one tries again.
 *
 * <p>The call is not {@link Linker.Option#critical}: it may sleep in the kernel, and the garbage collector should not
 * wait for that.
 */
final class SystemCalls {
    /** More than the calls after which the JVM tailors a method handle: 127. */
    private static final int WARM_UP = 200;
    private static final long STACK = 1 << 20;
    private static final int NO_MEMORY = -12;

    /** Of nothing, to warm up: the number on x86-64, and that on later architectures. */
    private static final long WRITE = System.getProperty("os.arch").equals("amd64") ? 1 : 64;

    /**
     * A Java heap that is smaller may be full before calls are linked in good time, and a class of the JDK's that finds
     * no room while it is initialised is lost for good: there they are linked at the start.
     */
    private static final long SMALL_JAVA_HEAP = 64 << 20;

    private static boolean linked; // plain: who sees it comes by Gate's initialisation, which sees all
    private static volatile MethodHandle made, madeWithErrno; // for Gate
    private static volatile Thread linking;

    private SystemCalls() {}

    /** Apart, so that the handle is a constant for the JIT, and can be made again if that has failed. */
    private static final class Gate {
        static final MethodHandle SYSCALL = made, WITH_ERRNO = madeWithErrno;

        private Gate() {}

        static void open() {}
    }

    /** What the linking thread runs. It must wait for no class that is being initialised: its caller may do that. */
    private static final class Linking implements Runnable {
        @Override
        public void run() {
            try {
                linkHere();
            } catch (OutOfMemoryError e) {
                // A thread that waits for the link finds that there is none.
            }
        }
    }

    /** Loads classes that {@link #call} needs. */
    static void load() {
        try {
            for (Class<?> type : new Class<?>[] {Gate.class, Linking.class}) {
                Class.forName(type.getName(), false, type.getClassLoader());
            }
            // Without access the first call of all shall say so, and not one that cannot be explained.
            boolean allowed = SystemCalls.class.getModule().isNativeAccessEnabled();
            if (!allowed || Runtime.getRuntime().maxMemory() < SMALL_JAVA_HEAP) linkHere();
        } catch (ClassNotFoundException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    static boolean isLinked() { return linked; }

    /** The result, or minus the number of the error. */
    static long call(long number, long a, long b, long c, long d, long e, long f) {
        long result = callRaw(number, a, b, c, d, e, f);
        return result == -1 ? again(number, a, b, c, d, e, f) : result;
    }

    /**
     * As {@link #call}, of one that may have done half of its work when it fails, as to unmap what was where it maps: others
     * may have mapped something there since, and so it is not made again to see the error.
     */
    static long callOnce(long number, long a, long b, long c, long d, long e, long f) {
        long result = callRaw(number, a, b, c, d, e, f);
        return result == -1 ? NO_MEMORY : result;
    }

    /** The result; -1 for any error. */
    private static long callRaw(long number, long a, long b, long c, long d, long e, long f) {
        if (!linked && !link()) return NO_MEMORY;
        try {
            return (long) Gate.SYSCALL.invokeExact(number, a, b, c, d, e, f);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /**
     * Makes a call that has failed, and so done nothing, once more, to see the error: that makes Java objects, which a
     * call must not that may come in the middle of an update. Where there is no room for them the system has refused.
     */
    private static long again(long number, long a, long b, long c, long d, long e, long f) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(JAVA_INT);
            long result = (long) Gate.WITH_ERRNO.invokeExact(errno, number, a, b, c, d, e, f);
            return result == -1 ? -errno.get(JAVA_INT, 0) : result;
        } catch (Error refused) { // what finds no room to be linked is not always a VirtualMachineError
            return NO_MEMORY;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /** A C function does not throw. What may come here is a {@code StackOverflowError}. */
    static Error failed(Throwable t) { return t instanceof Error e ? e : new AssertionError(t); }

    static MethodHandle handle(String name, FunctionDescriptor type, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, options);
    }

    /** Sees to it that calls are linked; false if that was not possible. */
    static boolean link() {
        try {
            Thread thread = begin();
            while (thread.isAlive()) await();
        } catch (VirtualMachineError e) {
            return linked; // no thread to be had
        }
        return linked;
    }

    private static synchronized Thread begin() {
        Thread thread = linking;
        if (linked || thread != null && thread.isAlive()) return thread;
        thread = new Thread(null, new Linking(), "mimalloc-linker", STACK, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
        linking = thread;
        return thread;
    }

    private static void await() {
        try {
            LockSupport.parkNanos(50_000);
        } catch (VirtualMachineError e) {
            Thread.onSpinWait(); // see Os.waitOn
        }
    }

    private static void linkHere() {
        var type = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        var variadic = Linker.Option.firstVariadicArg(1);
        madeWithErrno = handle("syscall", type, variadic, Linker.Option.captureCallState("errno"));
        made = handle("syscall", type, variadic);
        Gate.open();
        // The first call loads classes, and one of the next makes objects, since the JVM tailors a method handle that
        // is used a lot: better now than in the middle of an update.
        try {
            for (int i = 0; i < WARM_UP; i++) {
                long ignored = (long) Gate.SYSCALL.invokeExact(WRITE, 2L, 0L, 0L, 0L, 0L, 0L);
                again(WRITE, -1, 0, 0, 0, 0, 0); // fails, as nothing is open there
            }
        } catch (Throwable t) {
            throw failed(t);
        }
        linked = true;
    }
}
