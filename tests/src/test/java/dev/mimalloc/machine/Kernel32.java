package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * Windows on functions that do as its own do, as their documentation tells, with this system's memory. What was mapped before is
 * left to this system.
 */
public final class Kernel32 extends Windows {
    /** How often a place is looked for: the JVM may take it between two calls. */
    private static final int ATTEMPTS = 100;
    private static final int RESERVED = 0, COMMITTED = 1, GUARD = 2;
    private static final long HANDLE = 7;
    private static final long PAGE = 4 << 10, STEP = 64 << 10, MIB = 1 << 20;

    private final OperatingSystem real;
    /** The state of each page. */
    private final TreeMap<Long, int[]> reservations = new TreeMap<>();
    private final StringBuilder written; // null for stderr

    Kernel32(OperatingSystem real, StringBuilder written) {
        super(real);
        this.real = real;
        this.written = written;
    }

    /** The allocator stands on Windows from now on; before its first use. */
    public static void install() {
        Os.system.prepare();
        Os.system = new Kernel32(Os.system, null);
    }

    Map<Long, int[]> reservations() { return reservations; }

    @Override
    boolean isReady() { return true; }

    private synchronized boolean isOurs(long a) { return isInside(a, 1); }

    @Override
    long map(long wish, long size, long alignment, int flags) {
        boolean ours = (flags & Os.REPLACE) == 0 || isOurs(wish);
        return ours ? super.map(wish, size, alignment, flags) : real.map(wish, size, alignment, flags);
    }

    @Override
    synchronized long unmap(long a, long size) { return isOurs(a) ? super.unmap(a, size) : real.unmap(a, size); }
    @Override
    long protect(long a, long size, int access) { return isOurs(a) ? super.protect(a, size, access) : real.protect(a, size, access); }
    @Override
    long advise(long a, long size, int advice) { return isOurs(a) ? super.advise(a, size, advice) : real.advise(a, size, advice); }

    long committed(long p) {
        long pages = 0;
        for (int state : reservations.get(p)) if (state != RESERVED) pages++;
        return pages * PAGE;
    }

    boolean isGuard(long p) { return reservations.floorEntry(p).getValue()[(int) ((p - reservations.floorKey(p)) / PAGE)] == GUARD; }

    @Override
    synchronized long call(int function, long a, long b, long c, long d, long e) {
        return switch (SystemCalls.nameIn(FUNCTIONS[function])) {
            case "VirtualAlloc" -> allocate(a, b, c);
            case "VirtualFree" -> c == MEM_DECOMMIT ? change(a, b, RESERVED) : b == 0 && c == MEM_RELEASE ? release(a) : 0;
            case "VirtualProtect" -> isCommitted(a, b) ? change(a, b, GUARD) : 0;
            case "VirtualQuery" -> query(a, b, c);
            case "GetStdHandle" -> (int) a == STD_ERROR_HANDLE ? HANDLE : 0;
            case "WriteFile" -> {
                assertThat(a).isEqualTo(HANDLE);
                byte[] text = new byte[(int) c];
                if (written == null) real.write(b, c);
                for (int i = 0; i < c; i++) text[i] = (byte) Memory.getByte(b + i);
                if (written != null) written.append(new String(text, StandardCharsets.UTF_8));
                Memory.putInt(d, (int) c);
                yield 1;
            }
            case "GetProcessTimes" -> {
                Memory.putLong(d, 30_000_000);
                Memory.putLong(e, 40_000_000);
                yield 1;
            }
            case "K32GetProcessMemoryInfo" -> {
                assertThat(Memory.getInt(b)).isEqualTo((int) c);
                Memory.putInt(b + COUNTERS_FAULTS, 11);
                Memory.putLong(b + COUNTERS_PEAK, 7 * MIB);
                Memory.putLong(b + COUNTERS_RESIDENT, 5 * MIB);
                yield 1;
            }
            default -> throw new AssertionError(FUNCTIONS[function]);
        };
    }

    private long allocate(long a, long size, long kind) {
        if ((kind & MEM_LARGE_PAGES) != 0) return 0;
        if (kind == MEM_RESET) return isCommitted(a, size) ? a : 0;
        if (kind == MEM_COMMIT) return change(a, size, COMMITTED) == 1 ? a : 0;
        long at = a & -STEP;
        if (a != 0 && real.map(at, size, 1, Os.EXACT) != at) return 0;
        for (int i = 0; at == 0 && i < ATTEMPTS; i++) {
            long larger = real.map(0, size + STEP, 1, 0);
            if (larger < 0) return 0;
            real.unmap(larger, size + STEP);
            long start = larger + STEP - 1 & -STEP;
            if (real.map(start, size, 1, Os.EXACT) == start) at = start;
        }
        if (at == 0) return 0;
        reservations.put(at, new int[(int) (size / PAGE)]);
        if ((kind & MEM_COMMIT) != 0) assertThat(change(at, size, COMMITTED)).isOne();
        return at;
    }

    private long release(long a) {
        int[] pages = reservations.remove(a);
        if (pages == null) return 0;
        assertThat(real.unmap(a, pages.length * PAGE)).isZero();
        return 1;
    }

    /** Of one reservation only. */
    private boolean isInside(long a, long size) {
        Long base = reservations.floorKey(a);
        return base != null && a + size <= base + reservations.get(base).length * PAGE;
    }

    private boolean isCommitted(long a, long size) {
        if (!isInside(a, size)) return false;
        long base = reservations.floorKey(a);
        for (long at = a; at < a + size; at += PAGE) if (reservations.get(base)[(int) ((at - base) / PAGE)] == RESERVED) return false;
        return true;
    }

    private long change(long a, long size, int state) {
        if (!isInside(a, size)) return 0;
        long base = reservations.floorKey(a);
        for (long at = a; at < a + size; at += PAGE) reservations.get(base)[(int) ((at - base) / PAGE)] = state;
        if (state == RESERVED) return real.map(a, size, 1, Os.REPLACE) == a ? 1 : 0;
        return real.protect(a, size, state == GUARD ? Os.NO_ACCESS : Os.READ_WRITE) == 0 ? 1 : 0;
    }

    private long query(long a, long info, long size) {
        assertThat(size).isEqualTo(REGION_INFO_SIZE);
        long start = a & -PAGE;
        Memory.fill(info, size, 0);
        Memory.putLong(info + REGION_BASE, start);
        Long base = reservations.floorKey(a);
        if (base == null || !isInside(a, 1)) {
            Long next = reservations.ceilingKey(a);
            Memory.putLong(info + REGION_SIZE, (next == null ? 1L << 47 : next) - start);
            Memory.putInt(info + REGION_STATE, MEM_FREE);
            return size;
        }
        int[] pages = reservations.get(base);
        int first = (int) ((start - base) / PAGE), last = first;
        while (last < pages.length && pages[last] == pages[first]) last++;
        Memory.putLong(info + REGION_ALLOCATION_BASE, base);
        Memory.putLong(info + REGION_SIZE, (last - first) * PAGE);
        Memory.putInt(info + REGION_STATE, pages[first] == RESERVED ? MEM_RESERVE : MEM_COMMIT);
        return size;
    }
}
