package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.OsMemory;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link Windows} on functions that do as Windows' do, as its documentation tells, with this system's memory. */
class WindowsTest {
    private static final long KIB = 1 << 10, PAGE = 4 * KIB, STEP = 64 * KIB, MIB = 1 << 20;

    private final OperatingSystem real = Os.system;
    private final Kernel32 windows = new Kernel32(real);

    @BeforeEach
    void install() {
        real.prepare(); // memory that costs no call is out of these tests' reach
        Memory.root();
        Os.system = windows;
    }

    @AfterEach
    void nothingIsLeft() {
        Os.system = real;
        assertThat(windows.reservations).isEmpty();
    }

    @Test
    void mappedMemoryIsZeroAndAligned() {
        for (long alignment = PAGE; alignment <= 1 << 30; alignment *= 4) {
            long p = OsMemory.map(3 * MIB, alignment, Os.COMMIT);
            assertThat(p % alignment).isZero();
            assertThat(Memory.getLong(p)).isZero();
            Memory.fill(p, 3 * MIB, 1);
            assertThat(windows.reservations).hasSize(1);
            assertThat(OsMemory.unmap(p, 3 * MIB)).isTrue();
        }
    }

    @Test
    void aPlaceIsHadOnce() {
        long p = Os.map(0, MIB, 1, Os.COMMIT);
        assertThat(OsMemory.mapAt(p, MIB)).isFalse();
        assertThat(OsMemory.unmap(p, MIB)).isTrue();
        assertThat(OsMemory.mapAt(p, MIB)).isTrue();
        assertThat(OsMemory.mapAt(p + PAGE, MIB)).as("no place for a mapping to begin").isFalse();
        assertThat(OsMemory.unmap(p, MIB)).isTrue();
    }

    @Test
    void partsOfAMappingStay() {
        long p = Os.map(0, MIB, 1, Os.COMMIT);
        Memory.fill(p, MIB, 1);
        assertThat(OsMemory.unmap(p, MIB / 2)).isFalse();
        assertThat(OsMemory.unmap(p + MIB / 2, MIB / 2)).isFalse();
        assertThat(OsMemory.unmap(p + STEP, STEP)).isFalse();
        assertThat(OsMemory.unmap(p, 2 * MIB)).isFalse();
        assertThat(OsMemory.unmap(p + 3, MIB)).isFalse();
        assertThat(OsMemory.unmap(p, 0)).isFalse();
        assertThat(Memory.getByte(p + MIB - 1)).isOne();
        assertThat(OsMemory.unmap(p, MIB)).isTrue();
    }

    @Test
    void mappingsSideBySideGoTogether() {
        long p = Os.map(0, 3 * MIB, MIB, 0);
        assertThat(OsMemory.unmap(p, 3 * MIB)).isTrue();
        for (int i = 0; i < 3; i++) assertThat(OsMemory.mapAt(p + i * MIB, MIB)).isTrue();
        assertThat(OsMemory.commit(p + MIB + STEP, STEP)).isTrue();
        assertThat(OsMemory.unmap(p, 2 * MIB + STEP)).isFalse();
        assertThat(OsMemory.unmap(p + STEP, 3 * MIB - STEP)).isFalse();
        assertThat(windows.reservations).hasSize(3);
        assertThat(OsMemory.commit(p + STEP, 2 * MIB)).isTrue();
        assertThat(windows.committed(p) + windows.committed(p + MIB) + windows.committed(p + 2 * MIB)).isEqualTo(2 * MIB);
        Memory.fill(p + STEP, 2 * MIB, 1);
        assertThat(OsMemory.decommit(p + 2 * STEP, 2 * MIB - STEP)).isEqualTo(OsMemory.UNCOMMITTED | OsMemory.ZERO);
        assertThat(windows.committed(p) + windows.committed(p + MIB) + windows.committed(p + 2 * MIB)).isEqualTo(STEP);
        assertThat(OsMemory.commit(p + 3 * MIB - STEP, 2 * STEP)).as("beyond the end").isFalse();
        assertThat(OsMemory.unmap(p, 2 * MIB)).isTrue();
        assertThat(windows.reservations).containsOnlyKeys(p + 2 * MIB);
        assertThat(OsMemory.unmap(p + 2 * MIB, MIB)).isTrue();
    }

    @Test
    void memoryIsCommittedAndDecommitted() {
        long p = OsMemory.map(MIB, MIB, 0);
        assertThat(windows.committed(p)).isZero();
        assertThat(OsMemory.commit(p + STEP, STEP)).isTrue();
        assertThat(windows.committed(p)).isEqualTo(STEP);
        Memory.fill(p + STEP, STEP, 1);
        assertThat(OsMemory.commit(p, 4 * STEP)).as("also what is committed").isTrue();
        assertThat(Memory.getByte(p + STEP)).isOne();
        assertThat(OsMemory.decommit(p, 2 * STEP)).isEqualTo(OsMemory.UNCOMMITTED | OsMemory.ZERO);
        assertThat(windows.committed(p)).isEqualTo(2 * STEP);
        assertThat(OsMemory.commit(p, 2 * STEP)).isTrue();
        assertThat(Memory.getByte(p + STEP)).isZero();
        assertThat(OsMemory.unmap(p, MIB)).isTrue();
    }

    @Test
    void aGuardCannotBeTouchedAndComesBack() {
        long p = Os.map(0, MIB, 1, Os.COMMIT);
        Memory.fill(p, MIB, 1);
        assertThat(Os.protect(p, PAGE, Os.NO_ACCESS)).isZero();
        assertThat(windows.isGuard(p)).isTrue();
        assertThat(Os.protect(p, PAGE, Os.READ_WRITE)).isZero();
        assertThat(Memory.getByte(p)).isOne();
        OsMemory.unmap(p, MIB);
    }

    @Test
    void whatMayBeTakenIsReset() {
        long p = Os.map(0, MIB, 1, Os.COMMIT);
        assertThat(OsMemory.reset(p, MIB)).isTrue();
        Memory.fill(p, MIB, 1);
        assertThat(OsMemory.unmap(p, MIB)).isTrue();
        assertThat(OsMemory.reset(p, MIB)).isFalse();
    }

    @Test
    void whatIsNotThereIsUnsupported() {
        assertThat(Os.remap(MIB, MIB, 2 * MIB, 0)).isEqualTo(Os.UNSUPPORTED);
        assertThat(Os.node()).isEqualTo(Os.UNSUPPORTED);
        assertThat(OsMemory.mapHuge(1 << 30, 0)).isZero();
        long p = OsMemory.map(4 * MIB, MIB, Os.COMMIT | Os.LARGE);
        assertThat(p).as("without the right to lock memory").isPositive();
        assertThat(OsMemory.unmap(p, 4 * MIB)).isTrue();
    }

    @Test
    void textIsWrittenAndTheProcessMeasured() {
        long p = Os.map(0, STEP, 1, Os.COMMIT);
        Memory.putLong(p, 0x21212121L);
        assertThat(Os.write(p, 4)).isEqualTo(4);
        assertThat(windows.written.toString()).isEqualTo("!!!!");
        Os.processInfo(p);
        long[] info = new long[6];
        for (int i = 0; i < 6; i++) info[i] = Memory.getLong(p + 8L * i);
        assertThat(info).containsExactly(4000, 3000, 5 * MIB, 7 * MIB, 0, 11);
        OsMemory.unmap(p, STEP);
    }

    @Test
    void theTableIsInOrder() {
        String[] names = new String[Windows.FUNCTIONS.length];
        for (int i = 0; i < names.length; i++) names[i] = SystemCalls.nameIn(Windows.FUNCTIONS[i]);
        assertThat(names).containsExactly("SwitchToThread", "VirtualAlloc", "VirtualFree", "VirtualProtect", "VirtualQuery",
                "GetStdHandle", "WriteFile", "GetProcessTimes", "K32GetProcessMemoryInfo");
    }

    /** The functions. */
    private static final class Kernel32 extends Windows {
        private static final int RESERVED = 0, COMMITTED = 1, GUARD = 2;
        private static final long HANDLE = 7;

        private final OperatingSystem real;
        /** The state of each page. */
        private final TreeMap<Long, int[]> reservations = new TreeMap<>();
        private final StringBuilder written = new StringBuilder();

        Kernel32(OperatingSystem real) {
            super(real);
            this.real = real;
        }

        @Override
        boolean isReady() { return true; }

        long committed(long p) {
            long pages = 0;
            for (int state : reservations.get(p)) if (state != RESERVED) pages++;
            return pages * PAGE;
        }

        boolean isGuard(long p) { return reservations.floorEntry(p).getValue()[(int) ((p - reservations.floorKey(p)) / PAGE)] == GUARD; }

        @Override
        long call(int function, long a, long b, long c, long d, long e) {
            return switch (SystemCalls.nameIn(FUNCTIONS[function])) {
                case "VirtualAlloc" -> allocate(a, b, c);
                case "VirtualFree" -> c == MEM_DECOMMIT ? change(a, b, RESERVED) : b == 0 && c == MEM_RELEASE ? release(a) : 0;
                case "VirtualProtect" -> isCommitted(a, b) ? change(a, b, GUARD) : 0;
                case "VirtualQuery" -> query(a, b, c);
                case "GetStdHandle" -> (int) a == STD_ERROR_HANDLE ? HANDLE : 0;
                case "WriteFile" -> {
                    assertThat(a).isEqualTo(HANDLE);
                    byte[] text = new byte[(int) c];
                    for (int i = 0; i < c; i++) text[i] = (byte) Memory.getByte(b + i);
                    written.append(new String(text, StandardCharsets.UTF_8));
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
            long at = a == 0 ? real.map(0, size + STEP, 1, 0) : a & -STEP;
            if (a == 0) {
                long start = at + STEP - 1 & -STEP;
                real.unmap(at, size + STEP);
                at = start;
            }
            if (real.map(at, size, 1, Os.EXACT) != at) return 0;
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
}
