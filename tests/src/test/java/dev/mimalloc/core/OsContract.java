package dev.mimalloc.core;

import static dev.mimalloc.core.FaultyOs.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is asked of the system, and what is done when it refuses; on every machine. */
abstract class OsContract {
    private static final long KIB = 1 << 10, MIB = 1 << 20, GIB = 1 << 30, TIB = 1L << 40;
    private static final int LARGE = Os.COMMIT | Os.LARGE, ALL = 1 << 20;

    private final FaultyOs os = os();

    abstract FaultyOs os();

    @AfterEach
    void failNoMore() {
        for (int call = 0; call < CALLS; call++) os.fail(call, 0, 0, 0);
    }

    // Mapping

    @Test
    void mappedMemoryIsZeroAndAligned() {
        Map<Long, Long> mapped = new HashMap<>();
        for (long alignment = Os.pageSize(); alignment <= GIB; alignment *= 4) {
            for (long size : new long[] {1, Os.pageSize(), 64 * KIB, 3 * MIB}) {
                long p = os.map(size, alignment, Os.COMMIT);
                assertThat(p).isPositive();
                assertThat(p % alignment).isZero();
                assertThat(Memory.getLong(p)).isZero();
                Memory.fill(p, size, 1);
                assertThat(mapped.put(p, size)).isNull();
            }
        }
        mapped.forEach((p, size) -> assertThat(os.unmap(p, size)).isTrue());
    }

    @Test
    void whatLiesAskewIsMappedBelow() {
        long alignment = 2 * 64 * KIB; // with the largest OS pages any lesser one is no alignment at all
        os.fail(MAP, 1, 1, MISPLACED);
        long p = os.map(MIB, alignment, Os.COMMIT);
        assertThat(p % alignment).isZero();
        assertThat(os.calls(MAP)).isEqualTo(2);
        Memory.fill(p, MIB, 1);
        os.unmap(p, MIB);
    }

    @ParameterizedTest
    @CsvSource({"0", "1"})
    void whatLiesAskewTwiceIsCutOutOfMore(int flags) {
        os.fail(MAP, 1, 2, MISPLACED);
        long p = os.map(MIB, GIB, flags);
        assertThat(p).isPositive();
        assertThat(p % GIB).isZero();
        assertThat(os.calls(MAP)).isEqualTo(3);
        if (flags == 0) assertThat(os.commit(p, MIB)).isTrue();
        Memory.fill(p, MIB, 1);
        assertThat(os.mapAt(p + MIB, MIB)).as("the end is gone").isTrue();
        os.unmap(p, 2 * MIB);
    }

    @Test
    void whatCannotBeCommittedWhenItIsCutIsUnmapped() {
        os.fail(MAP, 1, 2, MISPLACED);
        os.fail(PROTECT, 1, 1, ENOMEM);
        os.fail(UNMAP, 0, 0, 0);
        assertThat(os.map(MIB, GIB, Os.COMMIT)).isZero();
        assertThat(os.calls(PROTECT)).isOne();
        assertThat(os.calls(UNMAP)).as("two that were askew, the start or the end, and the rest").isGreaterThanOrEqualTo(4);
    }

    @Test
    void aRefusalEndsTheSearch() {
        os.fail(MAP, 1, ALL, ENOMEM);
        assertThat(os.map(MIB, 64 * KIB, Os.COMMIT)).isZero();
        assertThat(os.calls(MAP)).isOne();
    }

    @Test
    void whatCannotBeIsZero() {
        for (long size : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 62, 1L << 48}) {
            assertThat(os.map(size, 64 * KIB, Os.COMMIT)).isZero();
            assertThat(os.map(size, 64 * KIB, LARGE)).isZero();
        }
        assertThat(os.map(MIB, 1L << 62, Os.COMMIT)).isZero();
        assertThat(os.map(MIB, 0, Os.COMMIT)).isZero();
        assertThat(os.mapHuge(GIB + 1, 0)).isZero();
        assertThat(os.mapHuge(1L << 46, -1)).isZero();
    }

    @Test
    void aTebibyteIsReservedOrRefused() {
        long p = os.map(TIB, 64 * KIB, 0);
        if (p == 0) return;
        assertThat(p % (64 * KIB)).isZero();
        assertThat(os.commit(p + TIB / 2, MIB)).isTrue();
        Memory.putLong(p + TIB / 2, 1);
        assertThat(os.unmap(p, TIB)).isTrue();
    }

    @Test
    void takenAddressesAreNotMappedOver() {
        long p = os.map(MIB, MIB, Os.COMMIT);
        Memory.putLong(p, 7);
        assertThat(os.mapAt(p, MIB)).isFalse();
        assertThat(Memory.getLong(p)).isEqualTo(7);
        os.unmap(p, MIB);
        assertThat(os.mapAt(p, MIB)).isTrue();
        os.unmap(p, MIB);
    }

    @Test
    void anOldSystemThatTakesAnAddressForAWishIsNoticed() {
        long p = os.map(MIB, MIB, Os.COMMIT);
        os.fail(MAP, 1, 1, MISPLACED);
        os.fail(UNMAP, 0, 0, 0);
        assertThat(os.mapAt(p, MIB)).isFalse();
        assertThat(os.calls(UNMAP)).isOne();
        os.unmap(p, MIB);
    }

    // Large and huge pages

    @Test
    void largePagesAreAskedForFirst() {
        os.fail(MAP, 1, 3, NORMAL_PAGES); // also where it lies askew
        os.fail(ADVISE, 0, 0, 0);
        long p = os.map(4 * MIB, 64 * KIB, LARGE);
        assertThat(p).isPositive();
        assertThat(os.calls(ADVISE)).isZero();
        os.unmap(p, 4 * MIB);
    }

    @Test
    void withoutLargePagesTheSystemIsAskedForTransparentOnes() {
        os.fail(MAP, 1, 1, ENOMEM);
        os.fail(ADVISE, 0, 0, 0);
        long p = os.map(4 * MIB, 64 * KIB, LARGE);
        assertThat(p).isPositive();
        assertThat(os.calls(MAP)).isGreaterThanOrEqualTo(2);
        assertThat(os.calls(ADVISE)).isOne();
        Memory.fill(p, 4 * MIB, 1);
        os.unmap(p, 4 * MIB);
    }

    @Test
    void whatIsNoWholeNumberOfLargePagesHasNone() {
        os.fail(MAP, 0, 0, 0);
        os.fail(ADVISE, 0, 0, 0);
        long p = os.map(64 * KIB, Os.pageSize(), LARGE);
        assertThat(os.calls(MAP)).isOne();
        assertThat(os.calls(ADVISE)).isOne();
        os.unmap(p, 64 * KIB);
    }

    @Test
    void hugePagesAreHadAlsoWhereTheirNodeIsNot() {
        os.fail(MAP, 1, 3, NORMAL_PAGES);
        os.fail(BIND, 1, 1, EINVAL);
        long p = os.mapHuge(GIB, 63);
        assertThat(p).isPositive();
        assertThat(p % GIB).isZero();
        assertThat(os.calls(BIND)).isOne();
        os.unmap(p, GIB);
    }

    @Test
    void hugePagesOfAnyNodeOrOfOneTooHighAreNotBound() {
        for (int node : new int[] {-1, 64}) {
            os.fail(MAP, 1, 3, NORMAL_PAGES);
            os.fail(BIND, 0, 0, 0);
            long p = os.mapHuge(GIB, node);
            assertThat(p).isPositive();
            assertThat(os.calls(BIND)).isZero();
            os.unmap(p, GIB);
        }
    }

    // Memory that comes and goes

    @Test
    void reservedMemoryIsCommittedLater() {
        long p = os.map(MIB, MIB, 0);
        assertThat(os.commit(p, 64 * KIB)).isTrue();
        Memory.putLong(p + 64 * KIB - 8, 7);
        os.fail(PROTECT, 1, 1, ENOMEM);
        assertThat(os.commit(p, MIB)).isFalse();
        os.unmap(p, MIB);
    }

    @Test
    void decommittedMemoryIsWhatTheResultSays() {
        long p = filled();
        int result = os.decommit(p, MIB / 2);
        assertThat(result).isEqualTo(OsMemory.ZERO);
        assertThat(Memory.getLong(p + 64 * KIB)).isZero();
        Memory.putLong(p, 2);
        assertThat(Memory.getByte(p + MIB / 2)).isOne();
        os.unmap(p, MIB);
    }

    @Test
    void decommitGivesTheMemoryBack() {
        long size = 64 * MIB;
        long p = os.map(size, MIB, Os.COMMIT);
        Memory.fill(p, size, 1);
        long before = os.resident();
        assertThat(os.decommit(p, size)).isEqualTo(OsMemory.ZERO);
        assertThat(before - os.resident()).isGreaterThan(size / 2);
        os.unmap(p, size);
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "7, 8"})
    void adviceIsRepeatedWhileTheSystemSaysAgain(int failures, int calls) {
        long p = filled();
        os.fail(ADVISE, 1, failures, EAGAIN);
        assertThat(os.decommit(p, MIB)).isEqualTo(OsMemory.ZERO);
        assertThat(os.calls(ADVISE)).isEqualTo(calls);
        assertThat(Memory.getByte(p)).isZero();
        os.unmap(p, MIB);
    }

    @Test
    void adviceIsNotRepeatedForEver() {
        long p = filled();
        os.fail(ADVISE, 1, ALL, EAGAIN);
        assertThat(os.decommit(p, MIB)).isEqualTo(OsMemory.REFUSED);
        assertThat(os.reset(p, MIB)).isFalse();
        assertThat(os.allowHugePages(p, MIB, true)).isFalse();
        assertThat(os.calls(ADVISE)).isEqualTo(5 * 8);
        assertThat(Memory.getByte(p)).isOne();
        os.unmap(p, MIB);
    }

    @Test
    void anyOtherRefusalIsTakenAtItsWord() {
        long p = filled();
        os.fail(ADVISE, 1, ALL, EINVAL);
        os.fail(MAP, 0, 0, 0);
        assertThat(os.decommit(p, MIB)).isEqualTo(OsMemory.REFUSED);
        assertThat(os.calls(ADVISE)).as("once for normal memory, once for locked").isEqualTo(2);
        assertThat(os.calls(MAP)).isZero();
        assertThat(Memory.getByte(p)).isOne();
        os.unmap(p, MIB);
    }

    @Test
    void whereThereIsNoSuchAdviceAFreshMappingTakesThePlace() {
        long p = filled();
        os.fail(ADVISE, 1, ALL, ENOSYS);
        assertThat(os.decommit(p, MIB)).isEqualTo(OsMemory.UNCOMMITTED | OsMemory.ZERO);
        assertThat(os.commit(p, MIB)).isTrue();
        assertThat(Memory.getByte(p)).isZero();
        os.fail(MAP, 1, 1, ENOSYS);
        assertThat(os.decommit(p, MIB)).isEqualTo(OsMemory.REFUSED);
        os.unmap(p, MIB);
    }

    @Test
    void resetFallsBackToGivingBack() {
        long p = filled();
        assertThat(os.reset(p, MIB)).isTrue();
        Memory.fill(p, MIB, 1);
        os.fail(ADVISE, 1, 1, EINVAL);
        assertThat(os.reset(p, MIB)).isTrue();
        assertThat(os.calls(ADVISE)).isEqualTo(2);
        assertThat(Memory.getByte(p)).isZero();
        os.unmap(p, MIB);
    }

    @Test
    void whatIsDiscardedIsAsJustReserved() {
        long p = filled();
        assertThat(os.discard(p + MIB / 4, MIB / 2)).isTrue();
        assertThat(os.mapAt(p + MIB / 4, MIB / 2)).as("its addresses are free").isFalse();
        assertThat(os.commit(p + MIB / 4, MIB / 2)).isTrue();
        assertThat(Memory.getLong(p + MIB / 4)).isZero();
        assertThat(Memory.getByte(p + MIB / 4 - 1)).isOne();
        assertThat(Memory.getByte(p + MIB / 4 * 3)).isOne();
        os.fail(MAP, 1, 1, ENOMEM);
        assertThat(os.discard(p, MIB)).isFalse();
        assertThat(Memory.getByte(p)).as("nothing has changed").isOne();
        os.unmap(p, MIB);
    }

    @Test
    void whatCannotBeUnmappedLosesItsMemory() {
        long p = filled();
        os.fail(UNMAP, 1, 1, ENOMEM);
        os.release(p, MIB);
        assertThat(Memory.getByte(p)).isZero();
        os.release(p, MIB);
        assertThat(os.mapAt(p, MIB)).as("the addresses are free").isTrue();
        os.unmap(p, MIB);
    }

    @Test
    void pagesMoveWithTheirContents() {
        long p = os.map(4 * MIB, 2 * MIB, Os.COMMIT);
        Memory.fill(p, 4 * MIB, 7);
        long target = os.map(16 * MIB, 2 * MIB, 0);
        os.fail(REMAP, 1, 1, ENOMEM);
        assertThat(os.remap(p, 4 * MIB, 6 * MIB, target)).isFalse();
        assertThat(Memory.getByte(p)).isEqualTo(7);
        assertThat(os.remap(p, 4 * MIB, 6 * MIB, target)).isTrue();
        assertThat(Memory.getByte(target + 4 * MIB - 1)).isEqualTo(7);
        assertThat(Memory.getLong(target + 4 * MIB)).as("what is new").isZero();
        assertThat(os.mapAt(p, 4 * MIB)).as("the old addresses are free").isTrue();
        os.unmap(p, 4 * MIB);
        assertThat(os.remap(target, 6 * MIB, 8 * MIB, 0)).as("into what is mapped").isFalse();
        os.unmap(target + 6 * MIB, 10 * MIB);
        assertThat(os.remap(target, 6 * MIB, 8 * MIB, 0)).as("into what is free").isTrue();
        assertThat(Memory.getByte(target)).isEqualTo(7);
        assertThat(Memory.getLong(target + 8 * MIB - 8)).as("what is new").isZero();
        os.unmap(target, 8 * MIB);
    }

    @Test
    void whereNothingCanBeMovedABlockGrowsByACopyAndNoAddressIsLost() throws IOException {
        os.free(grown(os.realloc(0, 64 * MIB)));
        os.fail(REMAP, 1, ALL, ENOSYS);
        long before = mapped();
        for (int round = 0; round < 20; round++) os.free(grown(os.realloc(0, 64 * MIB)));
        assertThat(os.calls(REMAP)).isGreaterThanOrEqualTo(20);
        assertThat(mapped() - before).isLessThan(4 * GIB);
    }

    /** To sizes for which there is no room behind it. */
    private long grown(long block) {
        Memory.putLong(block + MIB, 7);
        long larger = block;
        for (long size : new long[] {200 * MIB, 600 * MIB, 1800 * MIB}) {
            larger = os.realloc(larger, size);
            assertThat(larger).isPositive();
            assertThat(Memory.getLong(larger + MIB)).isEqualTo(7);
        }
        return larger;
    }

    /** The bytes of all mappings of the process. Not counted in OS pages, which an emulator may have made larger. */
    private static long mapped() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            String size = lines.filter(line -> line.startsWith("VmSize:")).findFirst().orElseThrow();
            return Long.parseLong(size.replaceAll("\\D", "")) * KIB;
        }
    }

    @Test
    void failuresAreFalse() {
        assertThat(os.commit(3, 4096)).isFalse();
        assertThat(os.unmap(3, 4096)).isFalse();
        assertThat(os.decommit(3, 4096)).isEqualTo(OsMemory.REFUSED);
        assertThat(os.reset(3, 4096)).isFalse();
    }

    // What is told in files

    @ParameterizedTest
    @CsvSource({"0, 1", "'0-3,8', 10f", "'1,3', a", "'0-1,4-5,63', 8000000000000033", "62-80, c000000000000000",
            "'', 0", "'64,2', 4", "99999999999999999999999, 0", "0-99999999999999999999999, ffffffffffffffff"})
    void nodesAreAsTheListSays(String list, String nodes) {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom(list).address();
            assertThat(os.nodes(text)).isEqualTo(Long.parseUnsignedLong(nodes, 16));
            text = arena.allocateFrom(list + "\n").address();
            assertThat(os.nodes(text)).isEqualTo(Long.parseUnsignedLong(nodes, 16));
        }
    }

    @Test
    void overcommitIsAskedForOnce() {
        os.forgetOvercommits();
        os.fail(READ_FILE, 0, 0, 0);
        boolean answer = os.overcommits();
        assertThat(os.overcommits()).isEqualTo(answer);
        assertThat(os.calls(READ_FILE)).isOne();
    }

    @Test
    void whatDoesNotTellIsTakenToOvercommit() {
        os.forgetOvercommits();
        os.fail(READ_FILE, 1, 1, EINVAL);
        assertThat(os.overcommits()).isTrue();
        os.forgetOvercommits();
    }

    @Test
    void residentBytesAreZeroWhereNothingTells() {
        assertThat(os.resident()).isBetween(MIB, 1L << 45);
        os.fail(READ_FILE, 1, 1, EINVAL);
        assertThat(os.resident()).isZero();
    }

    // Text

    @Test
    void textIsWrittenToTheEndWhateverComesBetween() {
        try (Arena arena = Arena.ofConfined()) {
            os.fail(WRITE, 2, 3, EINTR);
            os.print(arena.allocateFrom("one line\nand another\n").address());
            assertThat(os.takeWritten()).isEqualTo("one line\nand another\n");
            os.fail(WRITE, 2, ALL, EINVAL);
            os.print(arena.allocateFrom("one line\n").address());
            assertThat(os.takeWritten()).isEqualTo("one");
            assertThat(os.calls(WRITE)).isEqualTo(2);
        }
    }

    private long filled() {
        long p = os.map(MIB, MIB, Os.COMMIT);
        Memory.fill(p, MIB, 1);
        return p;
    }
}
