package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only another kernel than the one here may have: {@code targets/kernel.sh} runs one in an emulated machine. */
class KernelTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** Near the {@code memory.high} of its cgroup of version 2 a process gives back what is free. */
    @Test
    void heedsTheMemoryOfItsCgroup(@TempDir Path folder) throws Exception {
        String program = folder.resolve("pressure").toString();
        Command.succeed(ROOT, List.of("cc", "-O1", "-Ibuild/include", "native/src/test/interface/programs/pressure.c", "-o", program,
                "build/lib/libmimalloc.a", "-pthread"));
        var result = Command.run(ROOT, List.of("native/targets/kernel.sh", program));
        assumeTrue(result.status() != TargetsTest.UNAVAILABLE, result.output());
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("own cgroup: ok");
    }
}
