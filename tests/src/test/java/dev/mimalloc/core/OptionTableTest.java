package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Option;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.machine.Text;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The options' table in {@link Options} is the only one: header, API and documentation say what it says, and each option
 * that promises an effect is read somewhere. With {@code -Dmimalloc.write=true} they are written instead.
 */
class OptionTableTest {
    private static final Path ROOT = Path.of("..");
    private static final Path CORE = ROOT.resolve("core/src/main/java/dev/mimalloc/core");
    /** What of core only C has a use for. */
    private static final Path PROFILE = CORE.resolve("profile");
    private static final Path REQUESTS = CORE.resolve("report/Requests.java");
    private static final Path TABLE = CORE.resolve("base/Options.java");
    private static final Path API = ROOT.resolve("api/src/main/java/dev/mimalloc/Option.java");
    private static final Path C = ROOT.resolve("native/src/main/c");
    private static final Path HEADER = C.resolve("include/mimalloc.h");
    private static final Path PAGE = ROOT.resolve("docs/options.md");

    private static final Pattern CONSTANT = Pattern
            .compile("/\\*\\*((?:[^*]|\\*(?!/))*)\\*/\\s*public static final int ([A-Z_]+) = (\\d+);");
    private static final int WIDTH = 120;

    /** A row of the table. */
    private record Row(int number, String constant, String text) {
        boolean isDeprecated() { return constant.startsWith("DEPRECATED_"); }

        boolean isWithoutEffect() { return text.startsWith("No effect"); }

        String name() { return constant.toLowerCase(Locale.ROOT); }

        String unit() { return Options.isSize(number) ? " KiB" : ""; }

        String defaultValue() { return Options.defaultOf(number) + unit(); }

        String limits() {
            long max = Options.max(number);
            boolean any = max == (Options.isSize(number) ? Long.MAX_VALUE >>> 10 : Long.MAX_VALUE);
            return any ? Options.min(number) + " or more" : Options.min(number) + " to " + max;
        }

        String inHeader() { return "  %-46s  // %s (%s)".formatted("mi_option_" + name() + ",", text, defaultValue()); }

        String inPage() {
            boolean java = Arrays.stream(Option.values()).anyMatch(option -> option.name().equals(constant));
            return "| `%s` | %s | %s | %s | %s |".formatted(name(), defaultValue(), limits(), java ? "yes" : "", text);
        }

        String inApi() {
            String line = "    /** " + text + " */";
            String comment = line.length() <= WIDTH ? line : "    /**\n" + wrapped(text) + "     */";
            return comment + "\n    " + constant + "(Options." + constant + ")";
        }

        private static String wrapped(String text) {
            var lines = new StringBuilder();
            var line = new StringBuilder("     *");
            for (String word : text.split(" ", -1)) {
                if (line.length() + 1 + word.length() > WIDTH) {
                    lines.append(line).append('\n');
                    line = new StringBuilder("     *");
                }
                line.append(' ').append(word);
            }
            return lines.append(line).append('\n').toString();
        }
    }

    private static List<Row> rows() throws IOException {
        return CONSTANT.matcher(Files.readString(TABLE)).results()
                .map(m -> new Row(Integer.parseInt(m.group(3)), m.group(2), m.group(1).replaceAll("[\\s*]+", " ").strip()))
                .filter(row -> Options.name(row.number) != 0 && isRow(row)).toList();
    }

    /** The kinds are numbered constants, too. */
    private static boolean isRow(Row row) { return Text.string(Options.name(row.number)).equals("MIMALLOC_" + row.constant); }

    /** Compares the lines of a file between the one that ends with {@code before} and the one that begins with {@code after}. */
    private static void assertLines(Path file, String before, String after, String expected) throws IOException {
        String all = Files.readString(file);
        int from = all.indexOf(before) + before.length();
        int to = all.indexOf(after, from);
        assertThat(from).as(before).isGreaterThan(before.length());
        assertThat(to).as(after).isGreaterThanOrEqualTo(from);
        if (Boolean.getBoolean("mimalloc.write")) {
            Files.writeString(file, all.substring(0, from) + expected + all.substring(to));
        } else {
            assertThat(all.substring(from, to)).as("%s; -Dmimalloc.write=true writes it", file).isEqualTo(expected);
        }
    }

    @Test
    void eachNumberHasARow() throws IOException {
        assertThat(rows()).extracting(Row::number).containsExactlyElementsOf(IntStream.range(0, Options.COUNT).boxed().toList());
        for (Row row : rows()) {
            assertThat(Options.defaultOf(row.number)).as(row.constant).isBetween(Options.min(row.number), Options.max(row.number));
            assertThat(row.text).as(row.constant).endsWith(".").hasSizeLessThanOrEqualTo(105);
        }
    }

    @Test
    void eachOptionIsReadUnlessItSaysThatItHasNoEffect() throws IOException {
        var read = new TreeSet<String>();
        for (Path file : files(CORE, ".java")) {
            if (file.equals(TABLE) || file.startsWith(PROFILE) || file.equals(REQUESTS)) continue;
            readBy(file, "Options\\s*\\.([A-Z_]+)\\b").forEach(read::add);
        }
        List<Row> rows = rows();
        read.retainAll(rows.stream().map(Row::constant).toList());
        assertThat(Arrays.stream(Option.values()).map(Enum::name)).as("options of the API")
                .containsExactlyInAnyOrderElementsOf(read);
        readBy(REQUESTS, "Options\\s*\\.([A-Z_]+)\\b").forEach(read::add);
        for (Path file : files(PROFILE, ".java")) readBy(file, "Options\\s*\\.([A-Z_]+)\\b").forEach(read::add);
        for (Path file : files(C, ".c")) {
            readBy(file, "\\bmi_option_(?:is_enabled|get(?:_size|_clamp)?)\\(mi_option_(\\w+)").stream()
                    .map(name -> name.toUpperCase(Locale.ROOT)).forEach(read::add);
        }
        assertThat(rows.stream().filter(row -> !row.isWithoutEffect()).map(Row::constant)).as("options with an effect")
                .containsExactlyInAnyOrderElementsOf(read);
    }

    private static List<Path> files(Path folder, String end) throws IOException {
        try (var files = Files.walk(folder)) {
            List<Path> found = files.filter(file -> file.toString().endsWith(end)).toList();
            assertThat(found).isNotEmpty();
            return found;
        }
    }

    private static List<String> readBy(Path file, String pattern) throws IOException {
        return Pattern.compile(pattern).matcher(Files.readString(file)).results().map(m -> m.group(1)).toList();
    }

    @Test
    void theHeaderIsThatOfTheTable() throws IOException {
        var lines = new StringBuilder();
        for (Row row : rows()) lines.append(row.inHeader()).append('\n');
        assertLines(HEADER, "typedef enum mi_option_e {\n", "  _mi_option_last,", lines.toString());
        var former = new LinkedHashMap<String, String>();
        for (Row row : rows()) {
            long name = Options.formerName(row.number);
            if (name != 0) former.put(Text.string(name).replace("MIMALLOC_", "").toLowerCase(Locale.ROOT), row.name());
        }
        String expected = former.entrySet().stream().map(e -> "  mi_option_" + e.getKey() + " = mi_option_" + e.getValue() + ",\n")
                .collect(Collectors.joining());
        assertLines(HEADER, "  // former names\n", "} mi_option_t;", expected);
    }

    @Test
    void theApiIsThatOfTheTable() throws IOException {
        String lines = rows().stream().filter(row -> !row.isWithoutEffect() && !isOfC(row)).map(Row::inApi)
                .collect(Collectors.joining(",\n", "", ";\n"));
        assertLines(API, "public enum Option {\n", "\n    /** What an option's value means. */", lines);
    }

    /** Has it no effect on the JVM? */
    private static boolean isOfC(Row row) { return row.text.contains("No effect on the JVM"); }

    @Test
    void thePageIsThatOfTheTable() throws IOException {
        var lines = new StringBuilder();
        for (Row row : rows()) if (!row.isWithoutEffect()) lines.append(row.inPage()).append('\n');
        assertLines(PAGE, "|---|---|---|---|---|\n", "\n## Without an effect\n", lines.toString());
        var without = new StringBuilder();
        for (Row row : rows()) {
            if (row.isWithoutEffect() && !row.isDeprecated()) without.append("| `%s` | %s |%n".formatted(row.name(), row.text));
        }
        assertLines(PAGE, "| option | |\n|---|---|\n", "\nThe options whose names begin with `deprecated`", without.toString());
    }

    @Test
    void theApiKnowsWhatTheTableKnows() throws IOException {
        var kinds = List.of(Option.Kind.SWITCH, Option.Kind.NUMBER, Option.Kind.SIZE);
        Map<String, Row> rows = rows().stream().collect(Collectors.toMap(Row::constant, row -> row));
        for (Option option : Option.values()) {
            int number = rows.get(option.name()).number;
            assertThat(kinds.indexOf(option.kind())).as(option.name()).isEqualTo(Options.kind(number));
            assertThat(option.defaultValue()).as(option.name()).isEqualTo(Options.defaultOf(number));
            assertThat(option.variable()).isEqualTo(Text.string(Options.name(number)));
        }
    }
}
