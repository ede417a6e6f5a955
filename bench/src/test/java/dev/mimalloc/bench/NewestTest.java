package dev.mimalloc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The mimalloc in C that all are compared with: found where the script unpacks it, or a word why there is none. */
class NewestTest {
    private static final Path SCRIPT = Home.folder().resolve("scripts/newest-mimalloc.sh");

    @TempDir
    private Path folder;

    @Test
    void isFoundWithItsVersion() throws IOException {
        assertThat(Allocator.newest(folder)).isEmpty();
        Files.writeString(folder.resolve("version"), "3.6.0\n");
        assertThat(Allocator.newest(folder)).isEmpty();
        Files.writeString(folder.resolve("libmimalloc.so"), "");
        var newest = Allocator.newest(folder).orElseThrow();
        assertThat(newest.title()).isEqualTo("mimalloc 3.6.0");
        assertThat(newest.library()).isEqualTo(folder.resolve("libmimalloc.so").toString());
    }

    @Test
    void whatIsUnpackedStays() throws Exception {
        Files.writeString(folder.resolve("version"), "3.6.0\n");
        Files.writeString(folder.resolve("libmimalloc.so"), "as it was");
        Files.createDirectory(folder.resolve("include"));
        Files.writeString(folder.resolve("include/mimalloc.h"), "");
        // Without a program to be found there is no way to get it again.
        assertThat(script(folder.toString())).isEqualTo("0 ");
        assertThat(folder.resolve("libmimalloc.so")).hasContent("as it was");
    }

    @Test
    void aSystemWithoutDebiansPackagesIsTold() throws Exception {
        assertThat(script(folder.resolve("new").toString())).startsWith("1 ").contains("there is no apt-get here");
        assertThat(folder.resolve("new")).doesNotExist();
    }

    /** How the script ends where no program is to be found, and what it says. */
    private String script(String argument) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(List.of("/bin/bash", SCRIPT.toString(), argument)).redirectErrorStream(true);
        builder.environment().put("PATH", folder.resolve("empty").toString());
        var process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + " " + said;
    }
}
