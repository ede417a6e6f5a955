package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OsTest {
    private static final long KIB = 1 << 10, MIB = 1 << 20;
    private static final long NO_SUCH_FILE = -2, NO_MEMORY = -12, INVALID = -22;

    @Test
    void theMachineHasASize() {
        assertThat(Long.bitCount(Os.pageSize())).isOne();
        assertThat(Os.pageSize()).isBetween(4 * KIB, 64 * KIB);
        assertThat(Os.processors()).isPositive();
    }

    @Test
    void anUnknownSystemIsNamed() {
        String name = System.setProperty("os.name", "Plan 9");
        try {
            assertThatThrownBy(OperatingSystem::choose).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("mimalloc for Java runs on Linux, Windows and macOS, and does not know Plan 9");
        } finally {
            System.setProperty("os.name", name);
        }
    }

    @Test
    void mappedMemoryIsZeroAndUsable() {
        long p = Os.map(0, MIB, 1, Os.COMMIT);
        assertThat(Memory.getLong(p)).isZero();
        Memory.fill(p, MIB, 1);
        assertThat(Os.unmap(p, MIB)).isZero();
        assertThat(Os.map(p, MIB, 1, Os.COMMIT | Os.EXACT)).as("its addresses are free").isEqualTo(p);
        assertThat(Memory.getLong(p)).isZero();
        assertThat(Os.map(p, MIB, 1, Os.EXACT)).as("they are not").isNotEqualTo(p);
        Os.unmap(p, MIB);
    }

    @Test
    void protectionBringsTheContentsBack() {
        long p = Os.map(0, MIB, 1, Os.COMMIT);
        Memory.putLong(p, 5);
        assertThat(Os.protect(p, 64 * KIB, Os.NO_ACCESS)).isZero();
        assertThat(Os.protect(p, 64 * KIB, Os.READ_WRITE)).isZero();
        assertThat(Memory.getLong(p)).isEqualTo(5);
        Os.unmap(p, MIB);
    }

    @Test
    void adviceIsTakenOrRefused() {
        long p = Os.map(0, 4 * MIB, 1, Os.COMMIT);
        Memory.fill(p, 4 * MIB, 1);
        for (int advice : new int[] {Os.HUGE_PAGES, Os.NO_HUGE_PAGES, Os.DROP_LOCKED, Os.DROP_LATER}) {
            assertThat(Os.advise(p, 2 * MIB, advice)).isIn(0L, INVALID);
        }
        assertThat(Memory.getByte(p + 2 * MIB)).isOne();
        assertThat(Os.advise(p, 4 * MIB, Os.DROP)).isZero();
        assertThat(Memory.getByte(p + 2 * MIB)).isZero();
        Os.unmap(p, 4 * MIB);
    }

    @Test
    void failuresHaveTheirErrors() {
        assertThat(Os.protect(3, 4096, Os.READ_WRITE)).isEqualTo(INVALID);
        assertThat(Os.unmap(3, 4096)).isEqualTo(INVALID);
        assertThat(Os.advise(3, 4096, Os.DROP)).isEqualTo(INVALID);
        assertThat(Os.remap(3, 4096, 8192, 0)).isEqualTo(INVALID);
        assertThat(Os.map(0, 0, 1, Os.COMMIT)).isEqualTo(INVALID);
        assertThat(Os.map(0, 1L << 60, 1, 0)).isEqualTo(NO_MEMORY);
        assertThat(Os.readFile(Text.literal("/there/is/no/such/file"), 0, 0)).isEqualTo(NO_SUCH_FILE);
    }

    @Test
    void aFileIsReadFromItsStart() {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocate(8).address();
            assertThat(Os.readFile(Text.literal("/proc/version"), text, 5)).isEqualTo(5);
            assertThat(Text.string(text)).isEqualTo("Linux");
        }
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
    void theClockGoesForward() throws Exception {
        long start = System.nanoTime(), clock = Os.clock();
        Thread.sleep(Duration.ofMillis(20));
        clock = Os.clock() - clock;
        long all = System.nanoTime() - start; // whatever else the machine has done meanwhile
        assertThat(clock).isBetween(15L, all / 1_000_000 + 1);
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
    void aVariableIsFoundInAnyCase() throws Exception {
        assertThat(start("variable", "Mimalloc_Test_Variable").waitFor()).isZero();
        assertThat(start("variable", "Mimalloc_Test_Other").waitFor()).isOne();
    }

    @Test
    void theProcessHasUsedSomething() {
        try (Arena arena = Arena.ofConfined()) {
            long info = arena.allocate(48, 8).address();
            Os.processInfo(info);
            assertThat(Memory.getLong(info)).isPositive();
            assertThat(Memory.getLong(info + 8)).isNotNegative();
            assertThat(Memory.getLong(info + 24)).isBetween(MIB, 1L << 45);
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

    private static Process start(String deed) throws IOException { return start(deed, "MIMALLOC_NOTHING"); }

    private static Process start(String deed, String variable) throws IOException {
        var builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m",
                "-XX:-CreateCoredumpOnCrash", "-XX:+SuppressFatalErrorMessage", "--enable-native-access=ALL-UNNAMED",
                "-cp", classes(Os.class) + System.getProperty("path.separator") + classes(Deeds.class),
                Deeds.class.getName(), deed).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put(variable, "12");
        return builder.start();
    }

    private static Path classes(Class<?> type) {
        return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    /** What a process does not survive. */
    static final class Deeds {
        static final int SURVIVED = 3;

        public static void main(String[] deed) {
            long p = Os.map(0, MIB, 1, deed[0].equals("uncommitted") ? 0 : Os.COMMIT);
            switch (deed[0]) {
                case "abort" -> Os.abort();
                case "variable" -> {
                    long length = Os.environment(Text.literal("MIMALLOC_TEST_VARIABLE"), p, 64);
                    System.exit(length == 2 && Text.string(p).equals("12") ? 0 : 1);
                }
                case "write" -> {
                    Os.write(Text.literal("one line\n"), 9);
                    System.exit(0);
                }
                case "protected" -> Os.protect(p, MIB, Os.NO_ACCESS);
                default -> {}
            }
            Memory.putLong(p, 1);
            System.exit(SURVIVED);
        }
    }
}
