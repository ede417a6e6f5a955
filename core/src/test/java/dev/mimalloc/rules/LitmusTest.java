package dev.mimalloc.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The protocols between threads are right by the memory model of C11, and with weaker orders they would not be. */
class LitmusTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @Test
    void whatMayNotBeCannotBe() throws Exception {
        assumeTrue(Files.exists(ROOT.resolve("build/tools/herd/ready")), "herd7 is not there: scripts/litmus.sh --install brings it");
        Process process = new ProcessBuilder(ROOT.resolve("scripts/litmus.sh").toString()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).contains(" 0 failed");
    }
}
