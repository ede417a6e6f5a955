package dev.mimalloc.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the design documents and core's comments name is there: classes, their members, and what is linked. */
class DesignNamesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path DESIGN = ROOT.resolve("docs/design");
    /** Where the classes are that the documents name. */
    private static final List<String> SOURCES = List.of("core/src", "api/src", "translator/src", "tests/src", "native/src");
    private static final Pattern IN_DOCUMENT = Pattern.compile("`((?:\\w+/)?[A-Z][a-zA-Z]*[a-z][a-zA-Z]*)(?:\\.(\\w+))?(?:\\([^`]*\\))?`");
    private static final Pattern IN_COMMENT = Pattern.compile("\\{@code ([A-Z][a-zA-Z]*[a-z][a-zA-Z]*)(?:\\.(\\w+))?}");
    private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#]*)(?:#([^)]+))?\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");
    private static final Pattern OF_THE_JDK = Pattern.compile("\\w+(Error|Exception)");
    /** The end of a method's name. */
    private static final String SLOW = "Slow";
    private static final List<String> ENDINGS = List.of("java", "md");

    @Test
    void theDesignNamesWhatIsThere() throws IOException {
        Map<String, String> classes = classes();
        var faults = new ArrayList<String>();
        for (Path page : files(DESIGN, ".md")) {
            for (String fault : faults(IN_DOCUMENT, Files.readString(page), classes)) faults.add(page + ": " + fault);
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void commentsNameWhatIsThere() throws IOException {
        Map<String, String> classes = classes();
        var faults = new ArrayList<String>();
        for (Path source : files(Path.of("src/main/java"), ".java")) {
            for (String fault : faults(IN_COMMENT, Files.readString(source), classes)) faults.add(source + ": " + fault);
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        var faults = new ArrayList<String>();
        var pages = new ArrayList<>(files(ROOT.resolve("docs"), ".md"));
        for (String page : List.of("README.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")) pages.add(ROOT.resolve(page));
        for (Path page : pages) {
            LINK.matcher(Files.readString(page)).results().filter(m -> !leads(page, m.group(1), m.group(2)))
                    .forEach(m -> faults.add(page + ": " + m.group()));
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void aLinkThatLeadsNowhereIsFound() {
        Path overview = DESIGN.resolve("overview.md");
        assertThat(leads(overview, "ownership.md", "the-two-races")).isTrue();
        assertThat(leads(overview, "", "one-malloc")).isTrue();
        assertThat(leads(overview, "ownership.md", "the-three-races")).isFalse();
        assertThat(leads(overview, "owners.md", null)).isFalse();
    }

    @Test
    void aNameThatIsNotThereIsFound() {
        String source = "public static void pop(long page, long block) {}";
        Map<String, String> classes = Map.of("Page", source, "model/Page", source);
        assertThat(faults(IN_DOCUMENT, "`Page.pop(page)` and `Page` and `model/Page.pop`", classes)).isEmpty();
        assertThat(faults(IN_DOCUMENT, "`page/Page.pop`", classes)).containsExactly("page/Page.pop");
        assertThat(faults(IN_DOCUMENT, "`Page.push(page, block)`, `Pages`", classes)).containsExactly("Page.push", "Pages");
        assertThat(faults(IN_COMMENT, "{@code Page.push}, {@code Pages}", classes)).containsExactly("Page.push", "Pages");
    }

    /** Is the file there, and the heading in it, if the link names one? */
    private static boolean leads(Path page, String link, String anchor) {
        Path target = link.isEmpty() ? page : page.resolveSibling(link);
        if (!Files.exists(target)) return false;
        if (anchor == null) return true;
        try {
            return HEADING.matcher(Files.readString(target)).results().anyMatch(m -> anchor(m.group(1)).equals(anchor));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The anchor that GitHub makes of a heading. */
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\w -]", "").replace(' ', '-');
    }

    private static List<String> faults(Pattern names, String text, Map<String, String> classes) {
        var faults = new ArrayList<String>();
        names.matcher(text).results().forEach(m -> {
            String name = m.group(1);
            String member = m.group(2);
            if (OF_THE_JDK.matcher(name).matches() || name.equals(SLOW)) return;
            boolean isFile = member != null && ENDINGS.contains(member);
            String source = classes.get(name);
            if (source == null) faults.add(member == null ? name : name + "." + member);
            else if (member != null && !isFile && !Pattern.compile("\\b" + member + "(\\(| [=;])").matcher(source).find()) {
                faults.add(name + "." + member);
            }
        });
        return faults;
    }

    /** The sources of all classes, by name and by folder and name; of two with the same name, as {@code Arena}, both. */
    private static Map<String, String> classes() throws IOException {
        var classes = new TreeMap<String, String>();
        for (String sources : SOURCES) {
            for (Path file : files(ROOT.resolve(sources), ".java")) {
                String name = file.getFileName().toString().replace(".java", "");
                String folder = file.getParent().getFileName().toString();
                classes.merge(name, Files.readString(file), String::concat);
                classes.merge(folder + "/" + name, Files.readString(file), String::concat);
            }
        }
        return classes;
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
        }
    }
}
