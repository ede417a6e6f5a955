package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.OsMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link Windows} on functions that do as Windows' do. */
class WindowsTest {
    private static final long KIB = 1 << 10, PAGE = 4 * KIB, STEP = 64 * KIB, MIB = 1 << 20;

    private final OperatingSystem real = Os.system;
    private final StringBuilder written = new StringBuilder();
    private final Kernel32 windows = new Kernel32(real, written);

    @BeforeEach
    void install() {
        real.prepare(); // memory that costs no call is out of these tests' reach
        Memory.root();
        Os.system = windows;
    }

    @AfterEach
    void nothingIsLeft() {
        Os.system = real;
        assertThat(windows.reservations()).isEmpty();
    }

    @Test
    void mappedMemoryIsZeroAndAligned() {
        for (long alignment = PAGE; alignment <= 1 << 30; alignment *= 4) {
            long p = OsMemory.map(3 * MIB, alignment, Os.COMMIT);
            assertThat(p % alignment).isZero();
            assertThat(Memory.getLong(p)).isZero();
            Memory.fill(p, 3 * MIB, 1);
            assertThat(windows.reservations()).hasSize(1);
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
        assertThat(windows.reservations()).hasSize(3);
        assertThat(OsMemory.commit(p + STEP, 2 * MIB)).isTrue();
        assertThat(windows.committed(p) + windows.committed(p + MIB) + windows.committed(p + 2 * MIB)).isEqualTo(2 * MIB);
        Memory.fill(p + STEP, 2 * MIB, 1);
        assertThat(OsMemory.decommit(p + 2 * STEP, 2 * MIB - STEP)).isEqualTo(OsMemory.UNCOMMITTED | OsMemory.ZERO);
        assertThat(windows.committed(p) + windows.committed(p + MIB) + windows.committed(p + 2 * MIB)).isEqualTo(STEP);
        assertThat(OsMemory.commit(p + 3 * MIB - STEP, 2 * STEP)).as("beyond the end").isFalse();
        assertThat(OsMemory.unmap(p, 2 * MIB)).isTrue();
        assertThat(windows.reservations()).containsOnlyKeys(p + 2 * MIB);
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
        assertThat(written.toString()).isEqualTo("!!!!");
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
}
