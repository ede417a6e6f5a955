package dev.mimalloc.tools.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.mimalloc.tools.Home;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** speedscope, in a real browser, shows what {@code ./mimalloc collapse} prints. {@code scripts/install.sh test} gets it, with npm. */
class SpeedscopeTest {
    private static final Path RELEASE = Home.folder().resolve("build/peers/speedscope/node_modules/speedscope/dist/release");

    @TempDir
    private Path folder;

    @Test
    void functionsAreListed() throws Exception {
        assumeTrue(Files.exists(RELEASE), "speedscope is not there");
        assumeTrue(Files.exists(Path.of("/usr/bin/chromium")), "there is no browser");
        Path profile = folder.resolve("heap.txt");
        var frames = List.of(new Frame("shop::orders(int)", "", 0), new Frame("main", "", 0));
        var heap = new HeapProfile(List.of("inuse_space"), List.of(new HeapProfile.Sample(frames, List.of(400_000L)),
                new HeapProfile.Sample(frames.subList(1, 2), List.of(100_000L))));
        var lines = new StringBuilder();
        Map<String, Long> collapsed = Collapse.collapsed(heap, 0);
        collapsed.forEach((stack, value) -> lines.append(stack).append(' ').append(value).append('\n'));
        Files.writeString(profile, lines);
        Path script = Path.of(getClass().getResource("/profile/speedscope.mjs").toURI()), output = folder.resolve("output");
        int status = new ProcessBuilder("node", script.toString(), RELEASE.toString(), profile.toString())
                .redirectErrorStream(true).redirectOutput(output.toFile()).start().waitFor();
        String said = Files.readString(output).replaceAll("\\s+", " ");
        assertThat(status).as(said).isZero();
        assertThat(said).contains("400,000 (80%) 400,000 (80%) shop::orders(int)", "500,000 (100%) 100,000 (20%) main");
    }
}
