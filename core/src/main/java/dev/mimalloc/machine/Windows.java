package dev.mimalloc.machine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Windows from 7 on, by functions of kernel32. Addresses are reserved as a whole, in steps of 64 KiB, and let go of as a
 * whole; what is reserved is committed and decommitted by the page. A function that fails has done nothing, and why is
 * of no use to the allocator. Written for, not run: a test compares what is called here with the system's headers, and
 * others run the class on functions that do as Windows' do.
 */
class Windows extends OperatingSystem {
    static final String[] FUNCTIONS = {"int SwitchToThread(void)",
            "void* VirtualAlloc(void*, unsigned long long, unsigned long, unsigned long)",
            "int VirtualFree(void*, unsigned long long, unsigned long)",
            "int VirtualProtect(void*, unsigned long long, unsigned long, unsigned long*)",
            "unsigned long long VirtualQuery(const void*, struct _MEMORY_BASIC_INFORMATION*, unsigned long long)",
            "void* GetStdHandle(unsigned long)",
            "int WriteFile(void*, const void*, unsigned long, unsigned long*, struct _OVERLAPPED*)",
            "int GetProcessTimes(void*, struct _FILETIME*, struct _FILETIME*, struct _FILETIME*, struct _FILETIME*)",
            "int K32GetProcessMemoryInfo(void*, struct _PROCESS_MEMORY_COUNTERS*, unsigned long)"};
    /** Numbers of functions. The first one is to warm up. */
    private static final int VIRTUAL_ALLOC = 1, VIRTUAL_FREE = 2, VIRTUAL_PROTECT = 3, VIRTUAL_QUERY = 4, GET_STD_HANDLE = 5;
    private static final int WRITE_FILE = 6, GET_PROCESS_TIMES = 7, GET_PROCESS_MEMORY_INFO = 8;

    static final int MEM_COMMIT = 0x1000, MEM_RESERVE = 0x2000, MEM_DECOMMIT = 0x4000, MEM_RELEASE = 0x8000;
    static final int MEM_FREE = 0x10000, MEM_RESET = 0x80000, MEM_LARGE_PAGES = 0x20000000;
    static final int PAGE_NOACCESS = 1, PAGE_READWRITE = 4, STD_ERROR_HANDLE = -12;
    /** What GetCurrentProcess answers. */
    private static final long CURRENT_PROCESS = -1;

    /** The struct MEMORY_BASIC_INFORMATION: its size, and where fields are. */
    static final int REGION_INFO_SIZE = 48, REGION_BASE = 0, REGION_ALLOCATION_BASE = 8, REGION_SIZE = 24, REGION_STATE = 32;
    /** The struct PROCESS_MEMORY_COUNTERS. */
    static final int COUNTERS_SIZE = 72, COUNTERS_FAULTS = 4, COUNTERS_PEAK = 8, COUNTERS_RESIDENT = 16;

    private static final int NO_MEMORY = -12, INVALID = -22;
    private static final long PAGE = 4 << 10; // on each processor with 64 bits
    private static final long STEP = 64 << 10; // of addresses that are reserved
    /** How often an aligned place is looked for: between two calls another thread may take it. */
    private static final int ATTEMPTS = 8;

    /** For answers that come by an address, as calls must make no objects: one is looked at, the other never. */
    private final long info = Access.allocate(REGION_INFO_SIZE, Long.BYTES); // guarded by this
    private final long unread = Access.allocate(Long.BYTES, Long.BYTES);

    Windows() {
        isX86();
        SystemCalls.load("kernel32", FUNCTIONS, new long[7], null);
    }

    /** For tests, which put something else in the place of {@link #call}. */
    Windows(OperatingSystem ignored) {}

    @Override
    long pageSize() { return PAGE; }

    /** Calls a function of the system; 0 also when there is no room to link it. */
    long call(int function, long a, long b, long c, long d, long e) { return SystemCalls.callOr(0, function, a, b, c, d, e); }

    private long allocate(long a, long size, int kind) { return call(VIRTUAL_ALLOC, a, size, kind, PAGE_READWRITE, 0); }
    private boolean free(long a, long size, int kind) { return call(VIRTUAL_FREE, a, size, kind, 0, 0) != 0; }

    @Override
    long map(long wish, long size, long alignment, int flags) {
        if ((flags & Os.REPLACE) != 0) return eachPiece(VIRTUAL_FREE, wish, size, MEM_DECOMMIT) ? wish : NO_MEMORY;
        if ((flags & Os.HUGE) != 0) return Os.UNSUPPORTED;
        int kind = MEM_RESERVE;
        if ((flags & (Os.COMMIT | Os.LARGE)) != 0) kind |= MEM_COMMIT;
        if ((flags & Os.LARGE) != 0) kind |= MEM_LARGE_PAGES; // refused to a process without the right to lock memory
        long a = 0;
        // The system would round the address down.
        if (wish % STEP == 0 && wish != 0) a = allocate(wish, size, kind);
        if (a == 0 && (flags & Os.EXACT) != 0) return NO_MEMORY;
        for (int i = 0; i < ATTEMPTS && a == 0 && alignment > STEP; i++) a = aligned(size, alignment, kind);
        if (a == 0) a = allocate(0, size, kind);
        return a == 0 ? NO_MEMORY : a;
    }

    /** Looks for an aligned place by reserving more: the ends of a mapping cannot be cut off. 0 if another thread took it. */
    private long aligned(long size, long alignment, int kind) {
        long larger = allocate(0, size + alignment, MEM_RESERVE);
        if (larger == 0 || !free(larger, 0, MEM_RELEASE)) return 0;
        return allocate(larger + alignment - 1 & -alignment, size, kind);
    }

    /** Commits or decommits a range, also of several mappings side by side, which one call cannot. */
    private boolean eachPiece(int function, long a, long size, int kind) {
        if (call(function, a, size, kind, PAGE_READWRITE, 0) != 0) return true;
        synchronized (this) {
            for (long at = a, next; at < a + size; at = next) {
                if (!query(at) || (int) word(REGION_STATE) == MEM_FREE || word(REGION_BASE) != at) return false;
                next = Math.min(behindRegion(), a + size);
                if (call(function, at, next - at, kind, PAGE_READWRITE, 0) == 0) return false;
            }
        }
        return size > 0;
    }

    /** Whole mappings only. */
    @Override
    synchronized long unmap(long a, long size) {
        if (size <= 0 || !isWhole(a, a + size)) return INVALID;
        for (long at = a; at < a + size;) {
            long behind = at; // known only as long as it is there
            while (behind < a + size && query(behind) && word(REGION_ALLOCATION_BASE) == at) behind = behindRegion();
            if (!free(at, 0, MEM_RELEASE)) return INVALID;
            at = behind;
        }
        return 0;
    }

    /** Is this one mapping, or several side by side? */
    private boolean isWhole(long a, long end) {
        long mapping = 0;
        for (long at = a; at < end; at = behindRegion()) {
            if (!query(at) || (int) word(REGION_STATE) == MEM_FREE || word(REGION_BASE) != at) return false;
            boolean begins = word(REGION_ALLOCATION_BASE) == at;
            if (!begins && word(REGION_ALLOCATION_BASE) != mapping) return false;
            if (begins) mapping = at;
        }
        if (behindRegion() != end) return false;
        return !query(end) || (int) word(REGION_STATE) == MEM_FREE || word(REGION_ALLOCATION_BASE) != mapping;
    }

    private boolean query(long a) { return call(VIRTUAL_QUERY, a, info, REGION_INFO_SIZE, 0, 0) != 0; }
    private long word(int field) { return Memory.getLong(info + field); }
    private long behindRegion() { return word(REGION_BASE) + word(REGION_SIZE); }

    /** What is only reserved cannot be touched anyway, and is refused {@link Os#NO_ACCESS}. */
    @Override
    long protect(long a, long size, int access) {
        if (access == Os.READ_WRITE) return eachPiece(VIRTUAL_ALLOC, a, size, MEM_COMMIT) ? 0 : NO_MEMORY;
        return call(VIRTUAL_PROTECT, a, size, PAGE_NOACCESS, unread, 0) == 0 ? INVALID : 0;
    }

    /** DiscardVirtualMemory does not promise zeros, so what must read as zero is decommitted, by {@link #map}. */
    @Override
    long advise(long a, long size, int advice) {
        if (advice != Os.DROP_LATER) return Os.UNSUPPORTED;
        return allocate(a, size, MEM_RESET) == 0 ? INVALID : 0;
    }

    @Override
    long remap(long a, long size, long newSize, long target) { return Os.UNSUPPORTED; }
    @Override
    long bind(long a, long size, int numaNode) { return Os.UNSUPPORTED; }
    @Override
    long node() { return Os.UNSUPPORTED; }
    @Override
    long disallowHugePages() { return Os.UNSUPPORTED; }

    @Override
    synchronized long write(long text, long length) {
        long handle = call(GET_STD_HANDLE, STD_ERROR_HANDLE, 0, 0, 0, 0);
        Memory.putLong(info, 0);
        boolean good = call(WRITE_FILE, handle, text, Math.min(length, Integer.MAX_VALUE), info, 0) != 0;
        return good ? Memory.getInt(info) : INVALID;
    }

    @Override
    void processInfo(long target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment times = arena.allocate(JAVA_LONG, 4); // made, ended, in system code, in user code
            long at = times.address();
            call(GET_PROCESS_TIMES, CURRENT_PROCESS, at, at + 8, at + 16, at + 24);
            MemorySegment counters = arena.allocate(COUNTERS_SIZE, Long.BYTES);
            counters.set(JAVA_INT, 0, COUNTERS_SIZE);
            call(GET_PROCESS_MEMORY_INFO, CURRENT_PROCESS, counters.address(), COUNTERS_SIZE, 0, 0);
            long user = times.getAtIndex(JAVA_LONG, 3) / 10_000, system = times.getAtIndex(JAVA_LONG, 2) / 10_000; // of 100 ns
            long faults = counters.get(JAVA_INT, COUNTERS_FAULTS) & 0xffff_ffffL; // of both kinds: the system counts them together
            store(target, user, system, counters.get(JAVA_LONG, COUNTERS_RESIDENT), counters.get(JAVA_LONG, COUNTERS_PEAK), 0, faults);
        }
    }
}
