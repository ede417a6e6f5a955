package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.services.Suite.Outcome;
import dev.mimalloc.tools.Home;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SuiteTest {
    @Test
    void eachHasItsScript() {
        assertThat(Suite.ALL).allMatch(
                s -> Files.isExecutable(Home.folder().resolve("services/src/main/suites/" + s.name() + ".sh")));
    }

    @Test
    void whatIsWorseCounts() {
        assertThat(Suite.tests("a: b: passed\nnoise\nc: failed\nc: passed\na: b: passed\n"))
                .isEqualTo(Map.of("a: b", "passed", "c", "failed"));
    }

    @Test
    void namesWhatDiffers() {
        var system = new Outcome("system", 1, Map.of("same", "passed", "worse", "passed", "gone", "skipped"));
        var ours = new Outcome("ours", 1, Map.of("same", "passed", "worse", "failed", "new", "passed"));
        assertThat(ours.differences(system)).containsExactly("gone: not run, and skipped on system",
                "new: passed, and not run on system", "worse: failed, and passed on system");
        assertThat(ours.passed()).isEqualTo(2);
        assertThat(system.differences(system)).isEmpty();
    }
}
