package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.services.Trial.Outcome;
import dev.mimalloc.tools.Home;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrialTest {
    private static final Allocator SYSTEM = new Allocator(Allocator.SYSTEM, "", ""),
            OURS = new Allocator(Allocator.OURS, Home.library().toString(), "");

    @TempDir
    private Path folder;

    private Path prepared;

    @BeforeEach
    void prepare() throws Exception { prepared = Echo.prepared(folder); }

    private Outcome run(Service service, Allocator allocator) throws Exception {
        return Trial.run(service, Place.of(folder, folder.resolve("data"), true, 1), prepared, allocator, 1);
    }

    private long running() {
        return ProcessHandle.allProcesses().filter(p -> p.info().commandLine().orElse("").contains(folder.toString())).count();
    }

    @Test
    void aServiceIsLoadedLookedAtAndStopped() throws Exception {
        for (Allocator allocator : List.of(SYSTEM, OURS)) {
            Outcome outcome = run(new Echo("hello", 0), allocator);
            assertThat(outcome.sample().problem()).isNull();
            assertThat(outcome.answers()).isEqualTo("hello");
            assertThat(outcome.sample().figures()).containsEntry("liveKib", 1.0).containsKeys("requestsPerSecond", "latencyP99",
                    "latencyMax", "cpuSeconds");
            assertThat(outcome.sample().figures().get("peakKib")).isGreaterThan(1000); // what Python needs
            assertThat(outcome.curve().points()).hasSizeGreaterThan(2);
            assertThat(outcome.curve().phases()).extracting(Load.Phase::name).containsExactly("ask", "idle");
            assertThat(running()).isZero();
        }
    }

    @Test
    void answersThatAreNotTheSystemsAreAProblem() throws Exception {
        for (String line : List.of("hello", "who")) {
            List<Sample> samples = Main.compare(List.of(run(new Echo(line, 0), OURS), run(new Echo(line, 0), SYSTEM)));
            assertThat(samples.get(0).problem() != null).isEqualTo(line.equals("who"));
            assertThat(samples.get(1).problem()).isNull();
            assertThat(Main.hasOursFailed(samples)).isEqualTo(line.equals("who"));
        }
    }

    @Test
    void aBadEndIsAProblemAndLeavesNobodyBehind() throws Exception {
        assertThat(run(new Echo("hello", 3), OURS).sample().problem()).contains("ended with 3");
        Sample died = run(new Echo("die", 0), OURS).sample();
        assertThat(died.problem()).isNotNull();
        assertThat(died.figures()).isEmpty();
        assertThat(Main.hasOursFailed(List.of(died))).isTrue();
        assertThat(Main.hasOursFailed(List.of(died, new Sample("echo", 0, Allocator.SYSTEM, 1, died.figures(), "died"))))
                .isFalse();
        assertThat(running()).isZero();
    }

    @Test
    void aServiceThatDoesNotStartIsAProblem() throws Exception {
        Files.writeString(prepared.resolve("echo.py"), "raise SystemExit('no')");
        assertThat(run(new Echo("hello", 0), SYSTEM).sample().problem()).contains("ended with 1", "no");
    }

    @Test
    void aLibraryThatIsNotLoadedIsAProblem() throws Exception {
        Path none = Files.writeString(folder.resolve("none.so"), "no library");
        assertThat(run(new Echo("hello", 0), new Allocator("none", none.toString(), "")).sample().problem())
                .contains("was not loaded");
    }
}
