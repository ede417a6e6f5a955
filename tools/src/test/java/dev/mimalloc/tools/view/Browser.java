package dev.mimalloc.tools.view;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real browser without a window, where one is installed. */
final class Browser {
    private Browser() {}

    /** What has become of a page when its scripts have run. */
    static String page(Path folder, String address) throws IOException, InterruptedException {
        var path = System.getenv("PATH").split(":", -1);
        String browser = Stream.of("chromium", "chromium-browser", "google-chrome")
                .filter(name -> Stream.of(path).anyMatch(p -> Files.isExecutable(Path.of(p, name)))).findFirst().orElse(null);
        assumeTrue(browser != null, "no browser is installed");
        Path output = folder.resolve("page"), errors = folder.resolve("page-errors");
        var command = new ArrayList<>(List.of(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--user-data-dir=" + folder.resolve("browser"), "--enable-logging=stderr", "--dump-dom", address));
        Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) process.destroyForcibly().waitFor();
        String text = Files.readString(errors);
        if (text.contains(":CONSOLE")) throw new AssertionError(text);
        return Files.readString(output);
    }
}
