package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The library is compiled for systems other than this one, and tested where their programs run here: what takes little
 * time. {@code ./mimalloc test --target} has the rest.
 */
class TargetsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    /** The script's status where the compiler for other systems, or what runs their programs, is not to be had. */
    static final int UNAVAILABLE = 75;

    @ParameterizedTest
    @ValueSource(strings = {"x86_64-linux-musl", "wasm32-wasi"})
    void passesItsTests(String target) throws Exception {
        assertPasses(List.of("native/targets/target.sh", "test", target));
    }

    /** A processor that is emulated, Windows' functions, and a browser. */
    @ParameterizedTest
    @ValueSource(strings = {"aarch64-linux-gnu", "x86_64-windows-gnu", "wasm32-freestanding"})
    void passesSomeOfItsTests(String target) throws Exception {
        assertPasses(List.of("native/targets/target.sh", "test", target, "--quick"));
    }

    private static void assertPasses(List<String> command) throws Exception {
        var result = Command.run(ROOT, command);
        assumeTrue(result.status() != UNAVAILABLE, result.output());
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("100% tests passed");
    }
}
