package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way to reach memory keeps the same contract. */
class AccessTest {
    private static final String FLAG = "sun.misc.unsafe.memory.access";
    private static final String FORCED = "dev.mimalloc.memory";

    private final Arena arena = Arena.ofShared();
    private final long a = arena.allocate(4096, 64).address();

    @AfterEach
    void close() { arena.close(); }

    static Stream<Access> ways() {
        Stream<Access> always = Stream.of(new ForeignAccess(), new SunAccess());
        return Access.doorIsOpen() ? Stream.concat(always, Stream.of(new InternalAccess())) : always;
    }

    @ParameterizedTest
    @MethodSource("ways")
    void plainAccessesHaveTheirWidth(Access access) {
        access.putLong(a, 0x1122334455667788L);
        access.putInt(a + 8, 0x99aabbcc);
        access.putShort(a + 12, (short) 0xddee);
        access.putByte(a + 14, (byte) 0xff);
        assertThat(access.getLong(a)).isEqualTo(0x1122334455667788L);
        assertThat(access.getInt(a + 8)).isEqualTo(0x99aabbcc);
        assertThat(access.getShort(a + 12)).isEqualTo((short) 0xddee);
        assertThat(access.getByte(a + 14)).isEqualTo((byte) 0xff);
        assertThat(access.getByte(a + 15)).isZero();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void plainAccessesNeedNoAlignment(Access access) {
        access.putLong(a + 3, -2L);
        access.putInt(a + 13, 17);
        access.putShort(a + 19, (short) 18);
        assertThat(access.getLong(a + 3)).isEqualTo(-2L);
        assertThat(access.getInt(a + 13)).isEqualTo(17);
        assertThat(access.getShort(a + 19)).isEqualTo((short) 18);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void atomicsReturnTheOldValue(Access access) {
        access.putRelaxed(a, 0b1100);
        assertThat(access.fetchOr(a, 0b0011)).isEqualTo(0b1100);
        assertThat(access.fetchAnd(a, 0b0110)).isEqualTo(0b1111);
        assertThat(access.fetchAdd(a, -1)).isEqualTo(0b0110);
        assertThat(access.exchange(a, 40)).isEqualTo(0b0101);
        assertThat(access.getRelaxed(a)).isEqualTo(40);
        access.putRelease(a, Long.MIN_VALUE);
        assertThat(access.getAcquire(a)).isEqualTo(Long.MIN_VALUE);
        assertThat(access.getVolatile(a)).isEqualTo(Long.MIN_VALUE);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void compareAndSetWantsTheExpectedValue(Access access) {
        assertThat(access.compareAndSet(a, 1, 2)).isFalse();
        assertThat(access.compareAndSet(a, 0, 2)).isTrue();
        assertThat(access.weakCompareAndSet(a, 0, 3)).isFalse();
        assertThat(access.getLong(a)).isEqualTo(2);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void contendedUpdatesAreNotLost(Access access) throws Exception {
        int threads = 4, rounds = 20_000;
        inThreads(threads, thread -> {
            for (int i = 0; i < rounds; i++) {
                access.fetchAdd(a, 1);
                long seen;
                do {
                    seen = access.getRelaxed(a + 8);
                } while (!access.weakCompareAndSet(a + 8, seen, seen + 1));
                while (!access.compareAndSet(a + 16, 0, 1)) Os.yield();
                access.putLong(a + 24, access.getLong(a + 24) + 1); // plain, under the lock
                access.putRelease(a + 16, 0);
                access.fetchOr(a + 32, 1L << thread);
                access.fetchAnd(a + 32, ~(1L << thread));
            }
        });
        assertThat(access.getLong(a)).isEqualTo((long) threads * rounds);
        assertThat(access.getLong(a + 8)).isEqualTo((long) threads * rounds);
        assertThat(access.getLong(a + 24)).isEqualTo((long) threads * rounds);
        assertThat(access.getLong(a + 32)).isZero();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void releaseHandsPlainStoresToAcquire(Access access) throws Exception {
        int rounds = 20_000;
        inThreads(2, thread -> {
            for (long round = 1; round <= rounds; round++) {
                if (thread == 0) {
                    access.putLong(a + 128, round);
                    access.putInt(a + 256, (int) round);
                    access.putRelease(a, round);
                    while (access.getAcquire(a + 64) != round) Os.yield();
                } else {
                    while (access.getAcquire(a) != round) Os.yield();
                    assertThat(access.getLong(a + 128) == round && access.getInt(a + 256) == (int) round).isTrue();
                    access.putRelease(a + 64, round);
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("ways")
    void copyAndFillTouchTheirRangeOnly(Access access) {
        for (int size : new int[] {0, 1, 7, 8, 31, 32, 33, 100, 1000}) {
            access.fill(a, 4096, (byte) 0);
            access.fill(a + 1, size, (byte) 0xd0);
            assertThat(access.getByte(a)).isZero();
            assertThat(access.getByte(a + 1 + size)).isZero();
            access.copy(a, a + 2048, size + 2);
            for (int i = 1; i <= size; i++) assertThat(access.getByte(a + 2048 + i)).isEqualTo((byte) 0xd0);
            assertThat(access.getByte(a + 2048 + size + 1)).isZero();
        }
    }

    /** The surest way that no flag opens, then that of the JDK's flag, then what is wanted, if it can be had. */
    @ParameterizedTest
    @CsvSource({"'', '', ForeignAccess", "warn, '', ForeignAccess", "allow, '', SunAccess", "allow, ffm, ForeignAccess",
            "'', sun, SunAccess", "deny, sun, ForeignAccess", "'', magic, ForeignAccess", "allow, magic, SunAccess",
            "allow, internal, SunAccess"})
    void theWayIsChosenByWhatTheUserAllows(String flag, String forced, String chosen) {
        assumeFalse(Access.doorIsOpen());
        String flagBefore = set(FLAG, flag), forcedBefore = set(FORCED, forced);
        try {
            assertThat(Access.choose().getClass().getSimpleName()).isEqualTo(chosen);
        } finally {
            set(FLAG, flagBefore);
            set(FORCED, forcedBefore);
        }
    }

    private static String set(String property, String value) {
        String before = System.getProperty(property, "");
        if (value.isEmpty()) System.clearProperty(property);
        else System.setProperty(property, value);
        return before;
    }

    interface Work { void run(int thread) throws Exception; }

    private static void inThreads(int count, Work work) throws Exception {
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            threads.add(Thread.ofPlatform().daemon().start(() -> {
                try {
                    work.run(number);
                } catch (Throwable t) {
                    synchronized (failures) {
                        failures.add(t);
                    }
                }
            }));
        }
        for (Thread thread : threads) assertThat(thread.join(Duration.ofSeconds(60))).isTrue();
        assertThat(failures).isEmpty();
    }
}
