package dev.mimalloc.tools.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.tools.Home;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The shared file of statistics, and what shows it. */
class TopTest {
    private final StringWriter out = new StringWriter(), errors = new StringWriter();

    @TempDir
    private Path folder;

    private int top(String... arguments) {
        return new CommandLine(new TopCommand()).setOut(new PrintWriter(out)).setErr(new PrintWriter(errors)).execute(arguments);
    }

    private ViewedProgram program() throws Exception { return new ViewedProgram(folder, Map.of("MIMALLOC_LIVE", "live")); }

    /** Once it has counted what the program has by now: an update comes each second. */
    private static LiveStatistics awaited(ViewedProgram program, double mallocs) throws Exception {
        Path file = new RunningProcess(program.pid()).liveFile();
        while (true) {
            LiveStatistics statistics = Files.exists(file) ? LiveStatistics.read(file) : null;
            if (statistics != null && statistics.values().get("mallocs_total") >= mallocs) return statistics;
            Thread.sleep(20);
        }
    }

    @Test
    void theFileFollowsTheProgram() throws Exception {
        try (var program = program()) {
            LiveStatistics before = awaited(program, 40000);
            assertThat(before.values().get("live_bytes")).isBetween(140e6, 170e6); // 20 MB in small blocks, 7 of 8 MiB and one of 64
            assertThat(before.values().get("threads")).isBetween(2.0, 3.0); // and perhaps the one that writes this
            assertThat(before.bySize()).containsEntry(1024L, 20000 * 1024.0);
            program.work();
            awaited(program, before.values().get("mallocs_total") + 100000);
            assertThat(top("--rounds", "2", Long.toString(program.pid()))).as(errors.toString()).isZero();
            assertThat(out.toString()).containsPattern("(?m)^ *%d heap +[\\d.]+ MiB".formatted(program.pid())).contains("mallocs/s");
        }
    }

    @Test
    void aProcessWithoutAFileIsTold() throws Exception {
        try (var program = new ViewedProgram(folder, Map.of())) {
            assertThat(top(Long.toString(program.pid()))).isEqualTo(1);
            assertThat(errors.toString()).contains("MIMALLOC_LIVE");
        }
    }

    @Test
    void thePageHasGraphsAndIsForThisMachineAlone() throws Exception {
        try (var program = program()) {
            LiveStatistics statistics = awaited(program, 40000);
            try (var server = new LiveServer(0, () -> Map.of(program.pid(), statistics), () -> Map.of(program.pid(), "a \"<b>\""))) {
                server.keep();
                server.keep();
                String address = "http://127.0.0.1:" + server.port();
                String page = Browser.page(folder, address + "/");
                assertThat(page).contains("aria-label=\"Memory\"", "<path d=\"M", "&lt;b&gt;").doesNotContain("NaN");
                HttpClient client = HttpClient.newHttpClient();
                String metrics = client.send(HttpRequest.newBuilder(URI.create(address + "/metrics")).build(), BodyHandlers.ofString()).body();
                assertThat(metrics).contains("# TYPE mimalloc_mallocs_total counter", "mimalloc_threads{pid=\"" + program.pid() + "\",program=\"a \\\"<b>\\\"\"} ");
                assertThat(metrics.lines().filter(line -> !line.startsWith("#"))).allMatch(line -> line.matches("mimalloc_\\w+\\{.*\\} -?[\\d.E]+"));
                dashboardAsksForWhatThereIs(metrics);
                assertThat(refused(server.port(), "evil.example")).isEqualTo(403);
                assertThat(refused(server.port(), "localhost:" + server.port())).isEqualTo(200);
            }
        }
    }

    /** As a page of another site would ask, whose name leads here. */
    private static int refused(int port, String host) throws Exception {
        try (var socket = new Socket(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port)) {
            socket.getOutputStream().write("GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(host).getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return Integer.parseInt(answer.split(" ", 3)[1]);
        }
    }

    private static void dashboardAsksForWhatThereIs(String metrics) throws Exception {
        String dashboard = Files.readString(Home.folder().resolve("docs/grafana.json"));
        var asked = new TreeSet<String>();
        Pattern.compile("mimalloc_\\w+").matcher(dashboard).results().forEach(m -> asked.add(m.group()));
        assertThat(asked).hasSizeGreaterThan(8).allMatch(name -> metrics.contains("# TYPE " + name + " "));
    }
}
