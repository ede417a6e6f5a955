package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter(), errors = new StringWriter();

    @TempDir
    private Path folder;

    private int services(String... arguments) {
        return new CommandLine(new Main()).setOut(new PrintWriter(out)).setErr(new PrintWriter(errors)).execute(arguments);
    }

    @Test
    void listsWhatThereIs() {
        assertThat(services("--list")).isZero();
        assertThat(out.toString()).contains("postgresql", "mariadb", "redis", "memcached", "nginx", "jvm", "cpython", "redis-tests",
                "node-tests", "browser", "redis-killed");
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        assertThat(services("oracle", "--output", folder.toString())).isEqualTo(2);
        assertThat(errors.toString()).contains("oracle: an unknown service");
        assertThat(services("redis", "--rounds", "0", "--output", folder.toString())).isEqualTo(2);
        assertThat(errors.toString()).contains("--rounds: at least 1");
    }

    @Test
    void reportsOnNothing() {
        assertThat(services("--report", "--output", folder.toString())).isZero();
        assertThat(folder.resolve("index.html")).isNotEmptyFile();
    }
}
