package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.bench.Allocator;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JvmTest {
    @TempDir
    private Path folder;

    private String ask(Place place, String line) throws Exception {
        try (var wire = new Wire(place.port())) {
            return wire.write(line + "\n").flush().readLine();
        }
    }

    /** What a block had in it is told when another takes its place, and the JVM says how much is live. */
    @Test
    void itsAnswersFollowFromTheSeed() throws Exception {
        var place = Place.of(folder, Files.createDirectory(folder.resolve("data")), true, 1);
        var jvm = new Jvm();
        try (var daemon = Trial.start(jvm, jvm.command(place), place, new Allocator(Allocator.SYSTEM, "", ""))) {
            long before = jvm.live(place).orElseThrow();
            for (int seed = 0; seed < 200; seed++) {
                assertThat(ask(place, "replace 0 " + seed)).isEqualTo(ask(place, "replace 1 " + seed));
            }
            assertThat(jvm.live(place).orElseThrow()).isGreaterThan(before + (10 << 20));
            assertThat(ask(place, "replace 0 1")).isNotEqualTo(ask(place, "replace 1 2"));
            assertThat(ask(place, "zip 0 1")).isEqualTo(ask(place, "zip 1 1")).isNotEqualTo(ask(place, "zip 1 2"));
            assertThat(ask(place, "shrink 2")).isEqualTo("0");
            assertThat(ask(place, "shrink 0")).isNotEqualTo("0");
            assertThat(ask(place, "nothing")).isEqualTo("failed: nothing");
            daemon.stop();
        }
    }
}
