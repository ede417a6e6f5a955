package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OsTest {
    private static final long KIB = 1 << 10, MIB = 1 << 20, GIB = 1 << 30, TIB = 1L << 40;

    @Test
    void theMachineHasASize() {
        assertThat(Long.bitCount(Os.pageSize())).isOne();
        assertThat(Os.pageSize()).isBetween(4 * KIB, 64 * KIB);
        assertThat(Os.largePageSize()).isGreaterThan(Os.pageSize());
        assertThat(Os.physicalMemory()).isGreaterThan(64 * MIB);
        assertThat(Os.processors()).isPositive();
        assertThat(Os.numaNodes()).isPositive();
        assertThat(Os.numaNode()).isBetween(0, Os.numaNodes() - 1);
    }

    /** Also where the aligned range below the OS's first choice is taken, by those before. */
    @Test
    void mappedMemoryIsZeroAndAligned() {
        Map<Long, Long> mapped = new HashMap<>();
        for (long alignment = Os.pageSize(); alignment <= GIB; alignment *= 4) {
            for (long size : new long[] {Os.pageSize(), 64 * KIB, 3 * MIB}) {
                long p = Os.map(size, alignment, true, false);
                assertThat(p).isNotZero();
                assertThat(p % alignment).isZero();
                assertThat(Memory.getLong(p)).isZero();
                assertThat(Memory.getLong(p + size - 8)).isZero();
                Memory.fill(p, size, 1);
                assertThat(mapped.put(p, size)).isNull();
            }
        }
        mapped.forEach((p, size) -> assertThat(Os.unmap(p, size)).isTrue());
    }

    @Test
    void largePagesFallBackToNormalOnes() {
        long p = Os.map(4 * MIB, 64 * KIB, true, true);
        assertThat(p).isNotZero();
        Memory.fill(p, 4 * MIB, 1);
        assertThat(Os.unmap(p, 4 * MIB)).isTrue();
        long odd = Os.map(64 * KIB, 64 * KIB, true, true);
        assertThat(odd).isNotZero();
        Os.unmap(odd, 64 * KIB);
    }

    @Test
    void whatIsDiscardedIsAsJustReserved() {
        long p = Os.map(4 * MIB, 2 * MIB, true, false);
        Memory.fill(p, 4 * MIB, 1);
        assertThat(Os.discard(p + MIB, 2 * MIB)).isTrue();
        assertThat(Os.mapAt(p + MIB, MIB)).as("its addresses are free").isFalse();
        assertThat(Os.commit(p + MIB, 2 * MIB)).isTrue();
        assertThat(Memory.getLong(p + MIB)).isZero();
        assertThat(Memory.getByte(p + MIB - 1)).isOne();
        assertThat(Memory.getByte(p + 3 * MIB)).isOne();
        Os.unmap(p, 4 * MIB);
    }

    @Test
    void pagesMoveWithTheirContents() {
        long p = Os.map(4 * MIB, 2 * MIB, true, false);
        Memory.fill(p, 4 * MIB, 7);
        long target = Os.map(16 * MIB, 2 * MIB, false, false);
        assertThat(Os.remap(p, 4 * MIB, 6 * MIB, target)).isTrue();
        assertThat(Memory.getByte(target + 4 * MIB - 1)).isEqualTo(7);
        assertThat(Memory.getLong(target + 4 * MIB)).as("what is new").isZero();
        assertThat(Os.mapAt(p, 4 * MIB)).as("the old addresses are free").isTrue();
        Os.unmap(p, 4 * MIB);
        assertThat(Os.remap(target, 6 * MIB, 8 * MIB, 0)).as("into what is mapped").isFalse();
        Os.unmap(target + 6 * MIB, 10 * MIB);
        assertThat(Os.remap(target, 6 * MIB, 8 * MIB, 0)).as("into what is free").isTrue();
        assertThat(Memory.getByte(target)).isEqualTo(7);
        assertThat(Memory.getLong(target + 8 * MIB - 8)).as("what is new").isZero();
        Os.unmap(target, 8 * MIB);
    }

    @Test
    void whatCannotBeIsZero() {
        for (long size : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 62, 1L << 48}) {
            assertThat(Os.map(size, 64 * KIB, true, false)).isZero();
            assertThat(Os.map(size, 64 * KIB, false, true)).isZero();
        }
        assertThat(Os.map(MIB, 1L << 62, true, false)).isZero();
        assertThat(Os.mapHuge(GIB + 1, 0)).isZero();
        assertThat(Os.mapHuge(1L << 46, -1)).isZero();
    }

    @Test
    void aTebibyteIsReservedOrRefused() {
        long p = Os.map(TIB, 64 * KIB, false, false);
        if (p == 0) return;
        assertThat(p % (64 * KIB)).isZero();
        assertThat(Os.commit(p + TIB / 2, MIB)).isTrue();
        Memory.putLong(p + TIB / 2, 1);
        assertThat(Os.unmap(p, TIB)).isTrue();
    }

    @Test
    void reservedMemoryIsCommittedLater() {
        long p = Os.map(MIB, MIB, false, false);
        assertThat(Os.commit(p, 64 * KIB)).isTrue();
        Memory.putLong(p + 64 * KIB - 8, 7);
        assertThat(Memory.getLong(p + 64 * KIB - 8)).isEqualTo(7);
        Os.unmap(p, MIB);
    }

    @Test
    void decommittedMemoryIsWhatTheResultSays() {
        long p = Os.map(MIB, MIB, true, false);
        Memory.fill(p, MIB, 1);
        int result = Os.decommit(p, MIB / 2);
        assertThat(result).isBetween(0, 3);
        if ((result & 1) != 0) Os.commit(p, MIB / 2);
        if ((result & 2) != 0) assertThat(Memory.getLong(p + 64 * KIB)).isZero();
        Memory.putLong(p, 2);
        assertThat(Memory.getLong(p)).isEqualTo(2);
        assertThat(Memory.getByte(p + MIB / 2)).isEqualTo(1);
        Os.unmap(p, MIB);
    }

    @Test
    void decommitGivesTheMemoryBack() {
        long size = 64 * MIB;
        long p = Os.map(size, MIB, true, false);
        Memory.fill(p, size, 1);
        long before = resident();
        assertThat(Os.decommit(p, size)).isNotEqualTo(-1);
        assertThat(before - resident()).isGreaterThan(size / 2);
        Os.unmap(p, size);
    }

    @Test
    void resetMemoryStaysUsable() {
        long p = Os.map(MIB, MIB, true, false);
        Memory.putLong(p, 1);
        assertThat(Os.reset(p, MIB)).isTrue();
        Memory.putLong(p, 2);
        assertThat(Memory.getLong(p)).isEqualTo(2);
        Os.unmap(p, MIB);
    }

    @Test
    void unprotectBringsTheContentsBack() {
        long p = Os.map(MIB, MIB, true, false);
        Memory.putLong(p, 5);
        assertThat(Os.protect(p, 64 * KIB)).isTrue();
        assertThat(Os.unprotect(p, 64 * KIB)).isTrue();
        assertThat(Memory.getLong(p)).isEqualTo(5);
        Os.unmap(p, MIB);
    }

    @Test
    void protectedAndUncommittedMemoryEndsTheProcess() throws Exception {
        for (String deed : List.of("protected", "uncommitted")) {
            Process process = start(deed);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(deed).isNotZero().isNotEqualTo(Deeds.SURVIVED);
        }
    }

    @Test
    void abortEndsTheProcessLikeAC() throws Exception {
        Process process = start("abort");
        assertThat(process.waitFor()).isEqualTo(134);
    }

    @Test
    void textGoesToStderr() throws Exception {
        Process process = start("write");
        assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8)).endsWith("one line\n");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void failuresAreFalse() {
        assertThat(Os.commit(3, 4096)).isFalse();
        assertThat(Os.unmap(3, 4096)).isFalse();
        assertThat(Os.decommit(3, 4096)).isEqualTo(-1);
        assertThat(Os.reset(3, 4096)).isFalse();
        assertThat(Os.protect(3, 4096)).isFalse();
    }

    @Test
    void adviceOnHugePagesIsTakenOrRefused() {
        long p = Os.map(4 * MIB, 2 * MIB, true, false);
        Os.transparentHugePages(p, 4 * MIB, true);
        Os.transparentHugePages(p, 4 * MIB, false);
        Memory.fill(p, 4 * MIB, 1);
        Os.unmap(p, 4 * MIB);
    }

    @Test
    void theClockGoesForward() throws Exception {
        long start = System.nanoTime(), clock = Os.clock(), nanos = Os.nanos();
        Thread.sleep(Duration.ofMillis(20));
        clock = Os.clock() - clock;
        nanos = Os.nanos() - nanos;
        long all = System.nanoTime() - start; // whatever else the machine has done meanwhile
        assertThat(clock).isBetween(15L, all / 1_000_000 + 1);
        assertThat(nanos).isBetween(15_000_000L, all);
    }

    @Test
    void randomBitsDiffer() {
        Set<Long> seen = new HashSet<>();
        long any = 0, all = -1;
        for (int i = 0; i < 1000; i++) {
            long bits = Os.random();
            seen.add(bits);
            any |= bits;
            all &= bits;
        }
        assertThat(seen).hasSize(1000);
        assertThat(any).isEqualTo(-1);
        assertThat(all).isZero();
    }

    @Test
    void aPropertyStandsForAVariable() {
        System.setProperty("dev.mimalloc.test.option", "12é");
        try (Arena arena = Arena.ofConfined()) {
            long buffer = arena.allocate(64).address();
            long name = arena.allocateFrom("MIMALLOC_TEST_OPTION").address();
            assertThat(Os.environment(name, buffer, 64)).isEqualTo(4);
            assertThat(Text.string(buffer)).isEqualTo("12é");
            Memory.fill(buffer, 64, 0xff);
            assertThat(Os.environment(name, buffer, 2)).isEqualTo(4);
            assertThat(Text.string(buffer)).isEqualTo("1");
            assertThat(Memory.getByte(buffer + 2)).isEqualTo(0xff);
            assertThat(Os.environment(name, buffer, 0)).isEqualTo(4);
        } finally {
            System.clearProperty("dev.mimalloc.test.option");
        }
    }

    @Test
    void aVariableIsFoundInAnyCase() {
        Map.Entry<String, String> variable = System.getenv().entrySet().iterator().next();
        int size = 1 << 16;
        try (Arena arena = Arena.ofConfined()) {
            long buffer = arena.allocate(size).address();
            long name = arena.allocateFrom(variable.getKey().toLowerCase(Locale.ROOT)).address();
            assertThat(Os.environment(name, buffer, size)).isNotNegative();
            long missing = arena.allocateFrom("MIMALLOC_NOBODY_SETS_THIS").address();
            assertThat(Os.environment(missing, buffer, size)).isEqualTo(-1);
        }
    }

    @Test
    void theProcessHasUsedSomething() {
        try (Arena arena = Arena.ofConfined()) {
            long info = arena.allocate(48, 8).address();
            Os.processInfo(info);
            assertThat(Memory.getLong(info)).isPositive();
            assertThat(Memory.getLong(info + 8)).isNotNegative();
            assertThat(Memory.getLong(info + 16)).isBetween(MIB, 1L << 45);
            assertThat(Memory.getLong(info + 24)).isGreaterThanOrEqualTo(Memory.getLong(info + 16));
            assertThat(Memory.getLong(info + 32)).isNotNegative();
            assertThat(Memory.getLong(info + 40)).isPositive();
        }
    }

    @Test
    void waitingEndsWhenTheValueChanges() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            long word = arena.allocate(8, 8).address();
            Thread waiter = Thread.startVirtualThread(() -> {
                while (Memory.getVolatile(word) == 0) Os.waitOn(word, 0);
            });
            Thread.sleep(Duration.ofMillis(5));
            assertThat(waiter.isAlive()).isTrue();
            Memory.putRelease(word, 1);
            Os.wake(word);
            assertThat(waiter.join(Duration.ofSeconds(60))).isTrue();
        }
    }

    private static long resident() {
        try (Arena arena = Arena.ofConfined()) {
            long info = arena.allocate(48, 8).address();
            Os.processInfo(info);
            return Memory.getLong(info + 16);
        }
    }

    private static Process start(String deed) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m",
                "-XX:-CreateCoredumpOnCrash", "-XX:+SuppressFatalErrorMessage", "--enable-native-access=ALL-UNNAMED",
                "-cp", classes(Os.class) + System.getProperty("path.separator") + classes(Deeds.class),
                Deeds.class.getName(), deed).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    }

    private static Path classes(Class<?> type) {
        return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    /** What a process does not survive. */
    static final class Deeds {
        static final int SURVIVED = 3;

        public static void main(String[] deed) {
            long p = Os.map(MIB, MIB, !deed[0].equals("uncommitted"), false);
            switch (deed[0]) {
                case "abort" -> Os.abort();
                case "write" -> {
                    Os.write(Text.literal("one line\n"), 9);
                    System.exit(0);
                }
                case "protected" -> Os.protect(p, MIB);
                default -> {}
            }
            Memory.putLong(p, 1);
            System.exit(SURVIVED);
        }
    }
}
