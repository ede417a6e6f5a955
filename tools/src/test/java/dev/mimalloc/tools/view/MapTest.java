package dev.mimalloc.tools.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Dumps of the heap, and what is drawn of them. */
class MapTest {
    private static final int MIB = 1 << 20;
    /** What a dump says of memory: of an arena's meta-data, and at the end of rows of pages, free slices and meta-data. */
    private static final Pattern IN_MEMORY = Pattern.compile("(\"meta_resident\": |\"\\w+\",|\\[\\d+,\\d+,(?:[01],)?)\\d+(?=,\n|])");
    private final StringWriter out = new StringWriter(), errors = new StringWriter();

    @TempDir
    private Path folder;

    private int map(String... arguments) {
        return new CommandLine(new MapCommand()).setOut(new PrintWriter(out)).setErr(new PrintWriter(errors)).execute(arguments);
    }

    @Test
    void thePartsAreTheProgramsAndAddUpToWhatTheSystemSays() throws Exception {
        try (var program = new ViewedProgram(folder, Map.of("MIMALLOC_DUMP", "dumps"))) {
            HeapDump dump = new RunningProcess(program.pid()).dump();
            HeapDump.Parts parts = dump.parts();
            assertThat(dump.complete()).isTrue();
            assertThat(parts.total()).isCloseTo(program.anonymous(), withPercentage(3));
            // 20,000 blocks of 1000 bytes are live, and as many free; 7 of 8 MiB are touched, and a quarter of 64 MiB.
            List<HeapDump.Page> small = dump.pages().stream().filter(page -> page.blockSize() == 1024).toList();
            assertThat(small.stream().mapToLong(HeapDump.Page::live).sum()).isEqualTo(20000);
            assertThat(dump.parts(small, false).live()).isEqualTo(20000 * 1024);
            assertThat(dump.parts(small, false).free()).isCloseTo(20000 * 1024, within(128L << 10));
            List<HeapDump.Page> single = dump.pages().stream().filter(page -> page.state().equals("single")).toList();
            assertThat(dump.parts(single, false).live()).isCloseTo(72 * MIB, withPercentage(5));
            assertThat(parts.waiting()).isCloseTo(24 * MIB, withPercentage(5));
            // The thread that has ended left pages behind, or another thread has them by now; two threads live.
            assertThat(dump.pages().stream().map(HeapDump.Page::owner).filter(owner -> owner != 0).distinct()).hasSize(2);
            assertThat(parts.metadata()).isBetween(16L << 10, 4L * MIB);
            // A second dump is another file.
            assertThat(new RunningProcess(program.pid()).dump().parts().live()).isCloseTo(parts.live(), withPercentage(1));
            assertThat(folder.resolve("dumps." + program.pid() + ".2.json")).exists();
            assertThat(Files.getPosixFilePermissions(folder.resolve("dumps." + program.pid() + ".2.json"))).hasSize(2);
        }
    }

    @Test
    void aFileThatIsNoDumpIsRefused() throws Exception {
        Path file = folder.resolve("other");
        for (String text : List.of("", "root:x:0:0", "{}", "[1,", "{\"mimalloc_dump\": 1")) {
            Files.writeString(file, text);
            assertThatIOException().isThrownBy(() -> HeapDump.read(file)).withMessageContaining("not a dump of mimalloc's");
        }
        Files.write(file, new byte[] {(byte) 0xC3, 0x28});
        assertThatIOException().isThrownBy(() -> HeapDump.read(file)).withMessageContaining("not a dump of mimalloc's");
    }

    @Test
    void aProcessThatWasNotAskedToListenIsLeftAlone() throws Exception {
        try (var program = new ViewedProgram(folder, Map.of())) {
            assertThat(map(Long.toString(program.pid()))).isEqualTo(1);
            assertThat(errors.toString()).contains("MIMALLOC_DUMP").contains("./mimalloc run --dump");
        }
        assertThat(map("999999999")).isEqualTo(1);
    }

    @Test
    void thePageExplainsInABrowser() throws Exception {
        Path name = folder.resolve("picture");
        try (var program = new ViewedProgram(folder, Map.of("MIMALLOC_DUMP", folder.resolve("dumps").toString(), "MIMALLOC_DUMP_SIGNAL", "10"))) {
            assertThat(map(Long.toString(program.pid()), "--output", name.toString())).as(errors.toString()).isZero();
        }
        assertThat(out.toString()).containsPattern("live blocks +\\d+").containsPattern("resident +[\\d.]+ MiB 100.0 %");
        String html = Files.readString(Path.of(name + ".html")), svg = Files.readString(Path.of(name + ".svg"));
        assertThat(html.replace("http://www.w3.org/2000/svg", "")).as("nothing from elsewhere").doesNotContain("http:", "https:", "src=", "@import");
        assertThat(svg).startsWith("<svg xmlns").contains("prefers-color-scheme: dark", "blocks of 1.0 KiB: ").doesNotContain("NaN");
        String page = Browser.page(folder, Path.of(name + ".html").toUri().toString());
        assertThat(page).contains("class=\"by-size\"", "</i>to 8 KiB<i", "data-size=\"1024\"");
        assertThat(page.replaceFirst("<title>Heap of process", "")).as("titles that the script tells itself").doesNotContain("<title>");
    }

    @Test
    void aJavaProgramsDumpIsDrawn() throws Exception {
        Path file = folder.resolve("dump.json"), name = folder.resolve("picture");
        var builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), DumpedProgram.class.getName(), file.toString()).redirectError(folder.resolve("said").toFile());
        builder.environment().put("MIMALLOC_DUMP", folder.resolve("signalled").toString());
        Process program = builder.start();
        long pid = program.pid();
        try (var output = program.inputReader()) {
            assertThat(output.readLine()).as(Files.readString(folder.resolve("said"))).isEqualTo("dumped");
            assertThat(map(Long.toString(pid))).isEqualTo(1);
            assertThat(errors.toString()).contains("process " + pid + " is a JVM", "Mimalloc.dump(file)", "writeDump", "./mimalloc map FILE");
            program.getOutputStream().close();
            assertThat(program.waitFor()).isZero();
        }
        HeapDump dump = HeapDump.read(file);
        assertThat(dump.process()).isEqualTo(pid);
        assertThat(dump.complete()).isTrue();
        assertThat(dump.estimated()).isFalse();
        List<HeapDump.Page> small = dump.pages().stream().filter(page -> page.blockSize() == 1024).toList();
        assertThat(small.stream().mapToLong(HeapDump.Page::live).sum()).isEqualTo(DumpedProgram.LIVE);
        assertThat(dump.parts(small, false).live()).isEqualTo(DumpedProgram.LIVE * 1024);
        assertThat(dump.parts(small, false).free()).isCloseTo(DumpedProgram.LIVE * 1024, within(128L << 10));
        assertThat(dump.pages().stream().filter(page -> page.state().equals("single")).mapToLong(HeapDump.Page::live).sum()).isEqualTo(1);
        List<HeapDump.Page> untouched = dump.pages().stream().filter(page -> page.state().equals("single")).toList();
        assertThat(untouched.stream().mapToLong(HeapDump.Page::bytes).sum()).isGreaterThanOrEqualTo(8L << 20);
        assertThat(dump.parts(untouched, false).live()).isLessThan(1L << 20);
        assertThat(dump.parts().metadata()).isPositive();
        assertThat(map(file.toString(), "--output", name.toString())).as(errors.toString()).isZero();
        assertThat(out.toString()).containsPattern("resident +[\\d.]+ MiB 100.0 %").doesNotContain("estimated");

        // Of another system's, which does not tell what is in memory.
        Path untold = folder.resolve("untold.json");
        Files.writeString(untold, IN_MEMORY.matcher(Files.readString(file)).replaceAll("$1-1"));
        dump = HeapDump.read(untold);
        assertThat(dump.estimated()).isTrue();
        assertThat(dump.parts().metadata()).isZero();
        out.getBuffer().setLength(0);
        assertThat(map(untold.toString(), "--output", name.toString())).as(errors.toString()).isZero();
        assertThat(out.toString()).containsPattern("estimated +[\\d.]+ MiB 100.0 %").contains("no meta-data").doesNotContain("resident");
        String svg = Files.readString(Path.of(name + ".svg"));
        assertThat(svg).contains(" of mimalloc's, estimated", HeapMap.ESTIMATED, "blocks of 1.0 KiB: ").doesNotContain(" resident", "NaN");
        assertThat(Files.readString(Path.of(name + ".html"))).contains(HeapMap.ESTIMATED, "<th>estimated</th>").doesNotContain(" resident");
    }

    private static String dump(String pages, String free) {
        return """
                {"mimalloc_dump": 1, "process": 7, "slice": 65536, "os_page": 4096, "huge_page": 2097152, "subprocesses": [{"main": 1, "arenas": [
                {"start": 65536, "slices": 64, "meta_resident": 8192, "huge": [[1,1]], "free": [%s], "pages": [%s]}], "os_pages": [], "complete": 1}],
                "metadata": [[1,2,4096]], "complete": 1}
                """.formatted(free, pages);
    }

    @Test
    void residentBytesAreDividedUp() throws IOException {
        HeapDump dump = HeapDump.parse(dump("[0,1,64,512,1023,128,9,0,\"owned\",36864], [1,16,900000,1,1,1,0,0,\"single\",8192], [17,1,64,0,1023,0,0,0,\"abandoned\",-1]",
                "[40,2,1,131072], [50,1,0,4096]"));
        // Of the small page the blocks, and one OS page behind them; of the large block what was touched; of the last one nothing.
        assertThat(dump.parts()).isEqualTo(new HeapDump.Parts(128 * 64 + 8192, 384 * 64, 4096, 131072, 4096, 12288));
        assertThat(dump.estimated()).as("a page that went meanwhile").isFalse();
        assertThat(new HeapMap(dump, 0).svg()).contains("of no thread", "wait to be given back", "class=\"huge\"");
    }

    @Test
    void whatIsNotToldIsEstimated() throws IOException {
        String text = dump("[0,1,64,512,1023,128,9,0,\"owned\",-1]", "[40,2,1,-1], [50,1,0,-1]").replace("\"meta_resident\": 8192", "\"meta_resident\": -1");
        HeapDump dump = HeapDump.parse(text);
        assertThat(dump.estimated()).isTrue();
        assertThat(dump.parts()).isEqualTo(new HeapDump.Parts(128 * 64, 384 * 64, 0, 131072, 0, 4096));
        assertThat(HeapDump.parse(dump("", "")).estimated()).isFalse();
    }

    @Test
    void aLargeHeapHasNoMoreRows() throws IOException {
        var pages = new StringBuilder();
        for (int i = 0; i < 20000; i++) pages.append(i == 0 ? "" : ",").append("[%d,1,64,1023,1023,%d,9,0,\"full\",65536]".formatted(i, i % 1024));
        String svg = new HeapMap(HeapDump.parse(dump(pages.toString(), "").replace("\"slices\": 64", "\"slices\": 20000")), 0).svg();
        assertThat(svg.split("<text class=\"o\"", -1).length).isBetween(20, 130);
        assertThat(svg.length()).as("neighbours are one").isLessThan(2 * MIB);
    }

    @Test
    void whatIsNoDumpIsRefused() {
        assertThatThrownBy(() -> HeapDump.parse("{}")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> HeapDump.parse(dump("", "").substring(0, 200))).isInstanceOf(RuntimeException.class);
    }
}
