package dev.mimalloc.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What core exports is in the C that TeaVM wrote, or nothing is translated. */
class GeneratedTest {
    private static final String CLASS = "dev.mimalloc.core.base.X";

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Path file = folder.resolve("classes/dev/mimalloc/core/base/X.c");
        Files.createDirectories(file.getParent());
        Files.writeString(file, """
                int64_t X_f(int64_t teavm_local_0) {
                    return X_h(teavm_local_0);
                }
                int64_t X_h(int64_t teavm_local_0) {
                    return teavm_local_0;
                }
                int64_t Y_f() {
                    return 0;
                }
                """);
    }

    private static Core.Method method(String className, String name, String... exports) {
        String simple = className.substring(className.lastIndexOf('.') + 1);
        return new Core.Method(className, name, "(J)J", simple + "_" + name, false, List.of(exports));
    }

    private static Core core(Core.Method... methods) { return new Core(Path.of("core"), List.of(methods)); }

    @Test
    void coresFunctionsArePicked() throws IOException {
        Core core = core(method(CLASS, "f", "long mi_f(long a)"), method(CLASS, "h"), method(CLASS, "unused"));
        assertThat(Generated.functions(core, folder))
                .contains("int64_t X_f(int64_t v0);", "static int64_t X_h(int64_t v0) {").doesNotContain("Y_f", "unused");
    }

    @Test
    void anExportedMethodThatTeavmDidNotWriteIsRefused() {
        Core core = core(method(CLASS, "f", "long mi_f(long a)"), method(CLASS, "g", "long mi_g(long a)"));
        assertThatThrownBy(() -> Generated.functions(core, folder)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("[X_g]").hasMessageContaining("clean");
    }

    @Test
    void aClassThatTeavmDidNotWriteIsRefused() {
        Core core = core(method("dev.mimalloc.core.page.Z", "f", "long mi_f(long a)"));
        assertThatThrownBy(() -> Generated.functions(core, folder)).hasMessageContaining("[Z_f]");
    }

    /** As when a class has moved to another package and its old class file is still there. */
    @Test
    void twoClassesOfOneNameAreRefused() {
        assertThatThrownBy(() -> core(method(CLASS, "f"), method("dev.mimalloc.core.X", "f")))
                .hasMessageContaining(CLASS).hasMessageContaining("dev.mimalloc.core.X").hasMessageContaining("clean");
    }
}
