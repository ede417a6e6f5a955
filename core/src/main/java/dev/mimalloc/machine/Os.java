package dev.mimalloc.machine;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The operating system. Sizes in bytes, times in milliseconds unless the name says otherwise; what fails gives 0,
 * false or -1, and nothing throws. Ranges are whole OS pages. All methods may be called by any thread at any time.
 */
public final class Os {
    private static final OperatingSystem SYSTEM = OperatingSystem.choose();
    private static final String PREFIX = "MIMALLOC_";

    /** The variables that an option may be given by: the others are many, and looked through for each option. */
    private static final Map<String, String> OUR_ENVIRONMENT = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    static {
        for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
            String name = variable.getKey();
            if (name.regionMatches(true, 0, "MIMALLOC_", 0, 9)) OUR_ENVIRONMENT.putIfAbsent(name, variable.getValue());
        }
    }

    private Os() {}

    /** Makes ready what a first use would have to wait for. JVM only. */
    static void prepare() { SYSTEM.prepare(); }

    /**
     * Zeroed memory that costs no call of the system, at a multiple of 64 KiB, for an arena to begin with; 0 when there
     * is none. JVM only.
     */
    public static long firstMemory(long size) { return SYSTEM.firstMemory(size); }

    public static long pageSize() { return SYSTEM.pageSize(); }
    /** The size of a large OS page; 0 when there are none. */
    public static long largePageSize() { return SYSTEM.largePageSize(); }
    public static long physicalMemory() { return SYSTEM.physicalMemory(); }
    public static int processors() { return Runtime.getRuntime().availableProcessors(); }
    /** Is committed memory backed only when it is touched? */
    public static boolean overcommits() { return SYSTEM.overcommits(); }

    /**
     * Fresh zeroed memory at a multiple of {@code alignment}, a power of two that is at least the page size and may
     * be larger than the size. With {@code commit} it can be read and written, and counts as promised for the system's
     * limits; without, not yet. With {@code large} it
     * tries large OS pages first. 0 when there is none.
     */
    public static long map(long size, long alignment, boolean commit, boolean large) {
        return SYSTEM.map(size, alignment, commit, large);
    }

    public static boolean unmap(long a, long size) { return SYSTEM.unmap(a, size); }
    /** As {@link #map} without commit, but just there; false if anything is mapped there already. */
    public static boolean mapAt(long a, long size) { return SYSTEM.mapAt(a, size); }
    /**
     * Makes committed memory larger where it is, for target 0, if nothing is mapped behind it; or moves its pages, without
     * a copy, to {@code target}, in place of what was mapped there. What is new is zero. False when the system refuses, or
     * cannot: then the memory is as it was, and of the target nothing is known.
     */
    public static boolean remap(long a, long size, long newSize, long target) {
        return SYSTEM.remap(a, size, newSize, target);
    }
    /** Makes memory readable and writable. */
    public static boolean commit(long a, long size) { return SYSTEM.commit(a, size); }
    /**
     * Gives memory back, keeping the addresses. Bit 0 of the result: it must be committed before it is used again;
     * bit 1: it is zero then. -1 when it failed.
     */
    public static int decommit(long a, long size) { return SYSTEM.decommit(a, size); }
    /**
     * Gives memory back, and with it what the system has promised: it is as if it had just been mapped without commit.
     * False, with nothing changed, when the system refuses.
     */
    public static boolean discard(long a, long size) { return SYSTEM.discard(a, size); }
    /** Lets the system take the memory when it needs it; the contents may be lost, the memory stays usable. */
    public static boolean reset(long a, long size) { return SYSTEM.reset(a, size); }
    /** Any access ends the process from now on. */
    public static boolean protect(long a, long size) { return SYSTEM.protect(a, size); }
    public static boolean unprotect(long a, long size) { return SYSTEM.commit(a, size); }

    /** Asks for, or against, huge pages in a range of normal memory. */
    public static boolean transparentHugePages(long a, long size, boolean allow) {
        return SYSTEM.transparentHugePages(a, size, allow);
    }

    /** Asks against them for the whole process. */
    public static boolean disallowTransparentHugePages() { return SYSTEM.disallowTransparentHugePages(); }

    /** Committed memory in OS pages of 1 GiB at a NUMA node, -1 for any; 0 when there are none. */
    public static long mapHuge(long size, int numaNode) { return SYSTEM.mapHuge(size, numaNode); }

    /** Never goes back. */
    public static long clock() { return System.nanoTime() / 1_000_000; }
    public static long nanos() { return System.nanoTime(); }

    /** 64 bits that nobody can guess. */
    public static long random() { return SYSTEM.random(); }

    /**
     * Copies the value of an environment variable, with its zero and cut to {@code size}; returns its whole length,
     * -1 when it is not set. Upper and lower case of the name do not matter. On the JVM a system property goes first:
     * {@code dev.mimalloc.purge.delay} for {@code MIMALLOC_PURGE_DELAY}.
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
     * Copies the name of the environment variable with this number among those that begin with {@code MIMALLOC_}, with its
     * zero and cut to {@code size}; returns its whole length, -1 behind the last one.
     */
    public static long variable(long number, long buffer, long size) {
        for (String name : System.getenv().keySet()) {
            if (!name.regionMatches(true, 0, PREFIX, 0, PREFIX.length())) continue;
            if (number-- == 0) return copy(name, buffer, size);
        }
        return -1;
    }

    private static String value(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith("mimalloc_")) {
            String property = System.getProperty("dev." + lower.replace('_', '.'));
            return property != null ? property : OUR_ENVIRONMENT.get(name);
        }
        for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
            if (variable.getKey().equalsIgnoreCase(name)) return variable.getValue();
        }
        return null;
    }

    /** Writes {@code length} bytes to stderr. */
    public static void write(long text, long length) { SYSTEM.write(text, length); }

    /** The NUMA node that the thread runs on just now, from 0. */
    public static int numaNode() { return SYSTEM.numaNode(); }
    public static int numaNodes() { return SYSTEM.numaNodes(); }

    /**
     * Six longs: time in user and in system code, resident bytes now and at most, page faults that needed the disk,
     * and the others.
     */
    public static void processInfo(long target) { SYSTEM.processInfo(target); }

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

    /** Wakes one who waits on the word. Here the sleep is so short that nobody needs to be woken. */
    public static void wake(long address) {}

    /** Is there no thread yet that purges when nobody calls, and is one wanted? The JVM has its housekeeper. */
    public static boolean needsPurgeThread() { return false; }
    /** Starts it, unless somebody else just does. It may allocate. C only. */
    public static void startPurgeThread() {}
    /** What is to be purged has a time now. C only. */
    public static void wakePurgeThread() {}

    /** Lets others run. */
    @SuppressWarnings({"NamedLikeContextualKeyword", "ThreadPriorityCheck"}) // callers do not rely on it
    public static void yield() {
        try {
            Thread.yield();
        } catch (VirtualMachineError e) {
            Thread.onSpinWait(); // see waitOn
        }
    }

    /** For C's {@code errno}; Java has exceptions. */
    public static void setErrno(int code) {}

    /** Ends the process at once, with the status of a C program that aborts. */
    public static void abort() { Runtime.getRuntime().halt(134); }
}
