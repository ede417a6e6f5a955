package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs that know nothing of the library, and run on it. */
final class Watched {
    static final Path HERE = Path.of("").toAbsolutePath();
    static final String LIBRARY = HERE.resolve("../build/lib/libmimalloc.so").normalize().toString();

    private Watched() {}

    /** Compiles a source of {@code src/test/profile} into a folder. */
    static Path compile(Path folder, String compiler, String source, String... options) throws Exception {
        assertThat(Path.of(LIBRARY)).as("./mimalloc build makes it").exists();
        Path program = folder.resolve(source.replaceAll("\\..*", ""));
        var command = new ArrayList<>(List.of(compiler, "-O2", "-g", "-pthread"));
        command.addAll(List.of(options));
        command.addAll(List.of("src/test/profile/" + source, "-o", program.toString()));
        Command.succeed(HERE, command);
        return program;
    }
}
