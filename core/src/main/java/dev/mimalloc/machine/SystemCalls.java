package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * Calls of the system's functions. Each type of a C function costs the JVM some time when it is linked, and even the
 * first one a tenth of a second of the processor's: so all are called by one type, seven words to a word. That is right
 * for functions of at most seven integers and pointers where a caller takes away what it has passed and each integer has
 * a word or register of its own, as on x86-64 and on aarch64; a result of 32 bits is in the lower half of the word.
 *
 * <p>They are linked when they are needed: by the first call, or by the housekeeper when the program has run for a while.
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

    /**
     * A Java heap that is smaller may be full before calls are linked in good time, and a class of the JDK's that finds
     * no room while it is initialised is lost for good: there they are linked at the start.
     */
    private static final long SMALL_JAVA_HEAP = 64 << 20;

    /** The library that the functions are in; null for the C library. */
    private static String library;
    /** The functions, as C declares them. They are called by their numbers here. */
    private static String[] prototypes;
    /** Arguments with which the first function does nothing, and with which it fails; no failing where it sets no errno. */
    private static long[] nothing, failing;

    private static boolean linked; // plain: who sees it comes by Gate's initialisation, which sees all
    private static volatile MethodHandle made, madeWithErrno; // for Gate, as the two below
    private static volatile MemorySegment[] functions;
    private static volatile boolean[] ints;
    private static volatile Thread linking;

    private SystemCalls() {}

    /** Apart, so that the handle is a constant for the JIT, and can be made again if that has failed. */
    private static final class Gate {
        static final MethodHandle CALL = made, WITH_ERRNO = madeWithErrno;
        static final MemorySegment[] FUNCTIONS = functions;
        static final boolean[] INTS = ints; // whose result has 32 bits

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

    /**
     * Says what will be called, and loads classes that {@link #call} needs.
     *
     * @param library what the functions are in; null for the C library
     * @param prototypes the functions, as C declares them
     * @param nothing seven arguments with which the first function does nothing
     * @param failing seven arguments with which it fails; null where functions set no errno
     */
    static void load(String library, String[] prototypes, long[] nothing, long[] failing) {
        SystemCalls.library = library;
        SystemCalls.prototypes = prototypes;
        SystemCalls.nothing = nothing;
        SystemCalls.failing = failing;
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

    /** The result, or minus the number of the error, which the function tells by -1. */
    static long call(int function, long a, long b, long c, long d, long e, long f, long g) {
        long result = callRaw(function, a, b, c, d, e, f, g);
        if (result != -1) return result;
        return linked ? again(function, a, b, c, d, e, f, g) : NO_MEMORY;
    }

    /**
     * As {@link #call}, of one that may have done half of its work when it fails, as to unmap what was where it maps: others
     * may have mapped something there since, and so it is not made again to see the error.
     */
    static long callOnce(int function, long a, long b, long c, long d, long e, long f, long g) {
        long result = callRaw(function, a, b, c, d, e, f, g);
        return result == -1 ? NO_MEMORY : result;
    }

    /** The result; {@code otherwise} where the functions cannot be called. */
    static long callOr(long otherwise, int function, long a, long b, long c, long d, long e) {
        return linked || link() ? callRaw(function, a, b, c, d, e, 0, 0) : otherwise;
    }

    /** The result; -1 for any error. */
    private static long callRaw(int function, long a, long b, long c, long d, long e, long f, long g) {
        if (!linked && !link()) return -1;
        try {
            long result = (long) Gate.CALL.invokeExact(Gate.FUNCTIONS[function], a, b, c, d, e, f, g);
            return Gate.INTS[function] ? (int) result : result;
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /**
     * Makes a call that has failed, and so done nothing, once more, to see the error: that makes Java objects, which a
     * call must not that may come in the middle of an update. Where there is no room for them the system has refused.
     */
    private static long again(int function, long a, long b, long c, long d, long e, long f, long g) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(JAVA_INT);
            long result = (long) Gate.WITH_ERRNO.invokeExact(Gate.FUNCTIONS[function], errno, a, b, c, d, e, f, g);
            long answer = Gate.INTS[function] ? (int) result : result;
            return answer == -1 ? -errno.get(JAVA_INT, 0) : answer;
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
            while (thread != null && thread.isAlive()) await(); // none where the calls were linked at the start
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
        Linker linker = Linker.nativeLinker();
        SymbolLookup lookup = library == null ? linker.defaultLookup() : SymbolLookup.libraryLookup(library, Arena.global());
        var found = new MemorySegment[prototypes.length];
        var ints = new boolean[prototypes.length];
        for (int i = 0; i < prototypes.length; i++) {
            found[i] = lookup.findOrThrow(nameIn(prototypes[i]));
            ints[i] = prototypes[i].startsWith("int ");
        }
        SystemCalls.functions = found;
        SystemCalls.ints = ints;
        var type = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        boolean variadic = prototypes[0].endsWith("...)");
        if (failing != null) madeWithErrno = linker.downcallHandle(type, options(variadic, Linker.Option.captureCallState("errno")));
        made = linker.downcallHandle(type, options(variadic));
        Gate.open();
        // The first call loads classes, and one of the next makes objects, since the JVM tailors a method handle that
        // is used a lot: better now than in the middle of an update.
        try {
            for (int i = 0; i < WARM_UP; i++) {
                long[] x = nothing, y = failing;
                long ignored = (long) Gate.CALL.invokeExact(found[0], x[0], x[1], x[2], x[3], x[4], x[5], x[6]);
                if (y != null) again(0, y[0], y[1], y[2], y[3], y[4], y[5], y[6]);
            }
        } catch (Throwable t) {
            throw failed(t);
        }
        linked = true;
    }

    private static Linker.Option[] options(boolean variadic, Linker.Option... others) {
        if (!variadic) return others;
        Linker.Option[] all = Arrays.copyOf(others, others.length + 1);
        all[others.length] = Linker.Option.firstVariadicArg(1);
        return all;
    }

    /** The name of a function in its prototype. */
    static String nameIn(String prototype) {
        String before = prototype.substring(0, prototype.indexOf('('));
        return before.substring(Math.max(before.lastIndexOf(' '), before.lastIndexOf('*')) + 1);
    }
}
