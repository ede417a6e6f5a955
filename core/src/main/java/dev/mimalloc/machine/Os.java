package dev.mimalloc.machine;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The operating system, raw: each method is one call of the system, and has its answer. What to ask for, and what to do
 * when the system refuses, is for core to know ({@code OsMemory}, {@code OsConfig}).
 *
 * <p>A result below zero is minus the number of an error, as Linux counts them. Sizes are in bytes, times in
 * milliseconds; ranges are whole OS pages. Nothing throws, and C's {@code errno} stays as it was. All methods may be
 * called by any thread at any time.
 */
public final class Os {
    // The errors that callers tell from others: of these each just means that the system refuses.
    /** A signal came before anything was done. */
    public static final int INTERRUPTED = -4;
    /** An error: the call may succeed in a moment. */
    public static final int AGAIN = -11;
    /** The system has nothing of this kind. */
    public static final int UNSUPPORTED = -38;
    /** Error: there is a file of this name. */
    public static final int EXISTS = -17;

    // Flags of a mapping.
    /** Readable and writable, and counted as promised for the system's limits. */
    public static final int COMMIT = 1;
    /** In OS pages of 2 MiB, which are committed as a whole. */
    public static final int LARGE = 2;
    /** In OS pages of 1 GiB, which are committed as a whole. */
    public static final int HUGE = 4;
    /** Where wished, if nothing is mapped there; an old system takes it for a wish. */
    public static final int EXACT = 8;
    /** Where wished, in place of what is mapped there. */
    public static final int REPLACE = 16;

    // What may be done with memory.
    public static final int NO_ACCESS = 0;
    public static final int READ_WRITE = 1;

    // Advice about memory.
    /** Advice: the memory is given back at once; it reads as zero from now on, and stays usable. */
    public static final int DROP = 0;
    /** Advice: {@link #DROP} for memory that the program has locked. */
    public static final int DROP_LOCKED = 1;
    /** Advice: the memory may be given back when the system needs some, until it is written to. */
    public static final int DROP_LATER = 2;
    public static final int HUGE_PAGES = 3;
    public static final int NO_HUGE_PAGES = 4;

    /** Tests put one in its place that fails when they want it to. */
    static OperatingSystem system = OperatingSystem.choose();

    /**
     * Is there memory that costs no call? If not its class is never loaded, for which there may be no room later. The
     * secure build has none: it is between the JDK's own, without guards.
     */
    private static final boolean EARLY = Secure.level() == 0 && !system.isReady();

    private static final String PREFIX = "MIMALLOC_";
    public static final String PROPERTY_PREFIX = "dev.mimalloc.";
    /**
     * Properties of the API and the machine, behind the prefix: never an option's, also where one has the name, as {@code
     * MIMALLOC_LEAKS} of native programs has.
     */
    public static final List<String> OTHER_PROPERTIES = List.of("automatic.max", "debug", "jmx", "leaks", "leaks.depth",
            "leaks.freed", "memory", "profile", "profile.sample.rate", "secure");

    /** The variables that an option may be given by: the others are many, and looked through for each option. */
    private static final Map<String, String> OUR_ENVIRONMENT = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    static {
        for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
            String name = variable.getKey();
            if (name.regionMatches(true, 0, PREFIX, 0, PREFIX.length())) OUR_ENVIRONMENT.putIfAbsent(name, variable.getValue());
        }
    }

    private Os() {}

    /** Makes ready what a first use would have to wait for. JVM only. */
    static void prepare() { system.prepare(); }

    /**
     * Zeroed memory that costs no call of the system, at a multiple of 64 KiB, for an arena to begin with; 0 when there
     * is none. JVM only.
     */
    public static long firstMemory(long size) {
        return !EARLY || system.isReady() ? 0 : FirstMemory.takeForBlocks(size, 64 << 10);
    }

    public static long pageSize() { return system.pageSize(); }
    /**
     * Do addresses cost nothing as long as they are only reserved? A constant. Where reserved memory is memory, no more
     * is reserved than is asked for.
     */
    public static boolean reservesForFree() { return true; }
    public static int processors() { return Runtime.getRuntime().availableProcessors(); }

    /**
     * Fresh zeroed memory: at the address {@code wish} if that suits the system, 0 for anywhere, and at a multiple of
     * {@code alignment} if the system can do that; it may lie anywhere else.
     */
    public static long map(long wish, long size, long alignment, int flags) {
        if (EARLY && wish == 0 && flags == COMMIT && !system.isReady()) {
            long first = FirstMemory.take(size, alignment);
            if (first != 0) return first;
        }
        return system.map(wish, size, alignment, flags);
    }

    /** Whole mappings or parts of them. */
    public static long unmap(long a, long size) {
        // The JDK's memory stays; what was in it goes.
        if (EARLY && FirstMemory.contains(a)) return system.isReady() ? system.advise(a, size, DROP) : 0;
        return system.unmap(a, size);
    }

    /** With {@link #READ_WRITE} memory is committed, if it was not. */
    public static long protect(long a, long size, int access) { return system.protect(a, size, access); }

    public static long advise(long a, long size, int advice) {
        // Advice on huge pages is not worth a wait.
        boolean early = EARLY && advice >= HUGE_PAGES && FirstMemory.contains(a) && !system.isReady();
        return early ? UNSUPPORTED : system.advise(a, size, advice);
    }

    /**
     * Makes a mapping larger where it is, for target 0; or moves its pages, without a copy, to {@code target}, in place
     * of what was mapped there, and makes it larger. What is new is zero. Returns where it is now. When this is refused
     * the memory is as it was, and of the target nothing is known, but that it is untouched if the error is
     * UNSUPPORTED.
     */
    public static long remap(long a, long size, long newSize, long target) {
        return system.remap(a, size, newSize, target);
    }

    /** Faults at guarded blocks are reported from now on: the table of {@code Guarded} has what to say. C only. */
    public static void watchFaults(long entries, long count) {}

    /** Wishes for memory of a NUMA node, 0 to 63. */
    public static long bind(long a, long size, int numaNode) { return system.bind(a, size, numaNode); }

    /** The NUMA node that the calling thread runs on just now. */
    public static long node() { return system.node(); }

    /** Asks against transparent huge pages for the whole process. */
    public static long disallowHugePages() { return system.disallowHugePages(); }

    /** Reads the start of a small file; returns how many bytes. */
    public static long readFile(long path, long buffer, long size) {
        return system.readFile(Text.string(path), buffer, size);
    }

    /** Opens a file to read it, or makes one to be written that only its user can read; it must not exist. An error is negative. C only. */
    public static long open(long path, boolean writes) { return UNSUPPORTED; }
    /** The next bytes of an open file; how many, 0 at its end. C only. */
    public static long read(long file, long buffer, long size) { return UNSUPPORTED; }
    /** Writes bytes to an open file; how many it took. C only. */
    public static long writeTo(long file, long buffer, long size) { return UNSUPPORTED; }
    /** Closes what {@link #open} has opened. C only. */
    public static void close(long file) {}
    /** An output function that writes to a file of {@link #open}: its argument has two words, that file, and 1 after an error. C only. */
    public static long fileOutput() { return 0; }
    /** Memory that is shared with a file of so many bytes, which is made if it is not there; an error is negative. C only. */
    public static long share(long path, long size) { return UNSUPPORTED; }
    /** How many bytes of whole OS pages are in memory; an error is negative. */
    public static long resident(long a, long size) { return system.resident(a, size); }
    /** Gives a file another name in its folder; {@link #EXISTS} if there is one of that name, which stays. C only. */
    public static long rename(long path, long name) { return UNSUPPORTED; }
    /** Removes a file. C only. */
    public static void remove(long path) {}
    /** Has the process rights that who started it has not? What they say in the environment must not write files then. In C; a JVM has none. */
    public static boolean isPrivileged() { return false; }
    /** The number of the process. */
    public static long processId() { return ProcessHandle.current().pid(); }
    /** Nanoseconds since 1970. */
    public static long time() { return System.currentTimeMillis() * 1_000_000; }
    /** From now on the signal with this number goes to {@code Requests.signal}; an error is negative. C only. */
    public static long watchSignal(int number) { return UNSUPPORTED; }

    /** Never goes back. */
    public static long clock() { return System.nanoTime() / 1_000_000; }

    /**
     * Copies the value of an environment variable whose name begins with {@code MIMALLOC_}, with its zero and cut to
     * {@code size}; returns its whole length, -1 when it is not set. Upper and lower case of the name do not matter. On
     * the JVM a system property goes first: {@code dev.mimalloc.purge.delay} for {@code MIMALLOC_PURGE_DELAY}.
     */
    public static long environment(long name, long buffer, long size) {
        String value = value(Text.string(name));
        return value == null ? -1 : copy(value, buffer, size);
    }

    private static long copy(String text, long buffer, long size) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (size > 0) {
            int length = (int) Math.min(bytes.length, size - 1);
            MemorySegment target = MemorySegment.ofAddress(buffer).reinterpret(length);
            target.copyFrom(MemorySegment.ofArray(bytes).asSlice(0, length));
            Memory.putByte(buffer + length, 0);
        }
        return bytes.length;
    }

    /**
     * Copies the name of the environment variable with this number among those that begin with {@code MIMALLOC_}, with
     * its zero and cut to {@code size}; returns its whole length, -1 behind the last one.
     */
    public static long variable(long number, long buffer, long size) {
        for (String name : OUR_ENVIRONMENT.keySet()) if (number-- == 0) return copy(name, buffer, size);
        return -1;
    }

    private static String value(String name) {
        String rest = name.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '.');
        String property = OTHER_PROPERTIES.contains(rest) ? null : System.getProperty(PROPERTY_PREFIX + rest);
        return property != null ? property : OUR_ENVIRONMENT.get(name);
    }

    /** Writes to stderr; returns how many bytes it took. */
    public static long write(long text, long length) { return system.write(text, length); }

    /**
     * Six longs: time in user and in system code, resident bytes now and at most, page faults that needed the disk, and
     * the others. The resident bytes are 0 where the system tells them in a file.
     */
    public static void processInfo(long target) { system.processInfo(target); }

    /**
     * Sleeps a moment if the word still has this value. It may be back early, so the caller looks again. A virtual
     * thread gives its carrier away meanwhile.
     */
    public static void waitOn(long address, long value) {
        if (Memory.getVolatile(address) != value) return;
        try {
            LockSupport.parkNanos(50_000);
        } catch (VirtualMachineError e) {
            Thread.onSpinWait(); // a virtual thread needs stack and Java heap to give its carrier away
        }
    }

    /** Wakes a thread that waits on the word. On the JVM the sleep is so short that nobody needs to be woken. */
    public static void wake(long address) {}

    /**
     * Is there no thread yet that purges when nobody calls, and is one wanted? In C the option is looked at when {@code
     * care} is true, and once after the start of a process. The JVM has its housekeeper.
     */
    public static boolean needsPurgeThread(boolean care) { return false; }
    /** Starts the thread that purges when nobody calls, unless another thread just does. That may allocate. C only. */
    public static void startPurgeThread() {}
    /**
     * Is the process, or the system, short of memory? 1 if so, 0 if not, {@link #UNSUPPORTED} where nothing tells, -1 without
     * option {@code purge_on_pressure}. The purge thread asks again and again. C only.
     */
    public static long memoryPressure(long ms) { return UNSUPPORTED; }
    /** Wakes the purge thread, as slices have a time now when they are to be purged. C only. */
    public static void wakePurgeThread() {}
    /** The purge thread is to look for holes again, as there are other blocks now than at its last look. C only. */
    public static void stirPurgeThread() {}
    /**
     * Has anybody allocated, or called one of the two, since the last two looks for holes? Asked by the purge thread, after
     * the look that tells the time of the next one. If not, the next who does wakes it. C only.
     */
    public static boolean isStirred(long nextLook) { return true; }

    /** Is the calling thread known to be the only one of the process? In C; the JVM has other threads. */
    public static boolean isAlone() { return false; }

    /** Lets others run. */
    @SuppressWarnings({"NamedLikeContextualKeyword", "ThreadPriorityCheck"}) // callers do not rely on it
    public static void yield() {
        try {
            Thread.yield();
        } catch (VirtualMachineError e) {
            Thread.onSpinWait(); // see waitOn
        }
    }

    /** 64 random bits from the OS; 0 if it has none for us. */
    public static long random() {
        byte[] bytes = new byte[Long.BYTES];
        new SecureRandom().nextBytes(bytes);
        return ByteBuffer.wrap(bytes).getLong();
    }

    /** Have calls of the C library's malloc been led to the allocator since the process began? On Windows. */
    public static boolean isRedirected() { return false; }

    /** The number that the system's C library has for an error, one of core's {@code Errors}. On the JVM it is core's own. */
    public static int numberOf(int code) { return code; }

    /** For C's {@code errno}, by core's number; Java has exceptions. */
    public static void setErrno(int code) {}

    /** Ends the process at once, with the status of a C program that aborts. */
    public static void abort() { Runtime.getRuntime().halt(134); }
}
