package dev.mimalloc.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Core keeps to system Java, stands on floors without a circle, and stays small; and this test would notice if not. */
class CoreRulesTest {
    private static final String CORE = "dev/mimalloc/core";
    private static final String PROFILE = CORE + "/profile";
    private static final String REPORT = CORE + "/report";
    private static final String MACHINE = "dev/mimalloc/machine";
    private static final String HERE = "dev/mimalloc/rules";
    private static final Path CLASSES = Path.of("target/classes");
    private static final Path TEST_CLASSES = Path.of("target/test-classes");
    private static final List<String> PACKAGES = List.of("base", "model", "memory", "profile", "page", "thread", "malloc", "report", "face");
    private static final Pattern NAMED = Pattern.compile("dev\\.mimalloc\\.core\\.(\\w+)\\.");

    @Test
    void coreIsSystemJava() throws IOException {
        var faults = new ArrayList<String>();
        for (ClassModel cls : classes(CLASSES.resolve(CORE), "")) faults.addAll(SystemJava.faults(cls, CORE, MACHINE));
        assertThat(faults).isEmpty();
    }

    @Test
    void callsOnlyGoDown() throws IOException {
        var floors = new Floors(classes(CLASSES.resolve(CORE), ""));
        assertThat(floors.cycle()).as("classes of core that call each other in a circle").isEmpty();
        System.out.println("The floors of core:\n" + floors);
    }

    /** Of names in source files, as javac leaves nothing of constants in class files. */
    @Test
    void packagesStandOnThoseBelow() throws IOException {
        var faults = new ArrayList<String>();
        try (var sources = Files.walk(Path.of("src/main/java", CORE))) {
            for (Path source : sources.filter(CoreRulesTest::isJava).toList()) {
                String own = source.getParent().getFileName().toString();
                for (String other : upwards(own, Files.readString(source))) faults.add(source + " names " + other);
            }
        }
        assertThat(faults).isEmpty();
    }

    /** The packages above {@code own}, or unknown ones, that a source names. */
    private static List<String> upwards(String own, String source) {
        return NAMED.matcher(source).results().map(m -> m.group(1))
                .filter(other -> !PACKAGES.contains(other) || PACKAGES.indexOf(other) > PACKAGES.indexOf(own)).toList();
    }

    @Test
    void aPackageAboveIsFound() {
        assertThat(upwards("model", "import dev.mimalloc.core.base.Config;\nimport dev.mimalloc.core.page.Pages;"))
                .containsExactly("page");
    }

    /** The machine has a body for each kind of system, and who writes a format does not allocate: these are counted apart. */
    @ParameterizedTest
    @CsvSource({CORE + ", 8000", PROFILE + ", 1200", REPORT + ", 1000", MACHINE + ", 2000"})
    void coreAndMachineStaySmall(String folder, int most) throws IOException {
        long lines = 0;
        try (var sources = Files.walk(Path.of("src/main/java", folder))) {
            Predicate<Path> apart = source -> !folder.equals(CORE) || Stream.of(PROFILE, REPORT).noneMatch(f -> source.startsWith(Path.of("src/main/java", f)));
            Predicate<Path> counts = source -> isJava(source) && apart.test(source);
            for (Path source : sources.filter(counts).toList()) lines += linesOfCode(Files.readString(source));
        }
        System.out.println("Lines of code in " + folder + ": " + lines);
        assertThat(lines).isLessThanOrEqualTo(most);
    }

    private static boolean isJava(Path file) { return file.toString().endsWith(".java"); }

    /** All lines but comments, blank ones, and imports: these follow from the code, and tools write them. */
    private static long linesOfCode(String source) {
        return source.replaceAll("(?s)/\\*.*?\\*/", "").lines()
                .filter(line -> !line.isBlank() && !line.strip().startsWith("//") && !line.startsWith("import "))
                .count();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            MakesAnObject      | makes an object
            MakesAnArray       | makes an array
            UsesAnArray        | uses an array
            HasText            | constant that is not the argument of Text.literal
            ComputesText       | calls java.lang.String
            Throws             | throws
            Catches            | catches exceptions
            HasALambda         | dynamic call
            Boxes              | calls java.lang.Long.valueOf
            HasState           | is a field but no constant
            InitialisesItself  | initialises the class
            HasInstances       | is not static
            CallsTheLibrary    | calls java.lang.Math.max
            CallsAllOfLong     | calls java.lang.Long.bitCount
            Synchronizes       | is synchronized
            UsesDoubles        | floating point
            UsesBytes          | uses the type byte
            ComparesReferences | compares references
            IsOpen             | is not a final class
            """)
    void whatIsNotSystemJavaIsFound(String fixture, String fault) throws IOException {
        List<ClassModel> cls = classes(TEST_CLASSES.resolve(HERE), "Fixtures$" + fixture + ".class");
        assertThat(SystemJava.faults(cls.getFirst(), HERE, MACHINE)).anyMatch(f -> f.contains(fault));
    }

    @Test
    void systemJavaIsAccepted() throws IOException {
        List<ClassModel> cls = classes(TEST_CLASSES.resolve(HERE), "Fixtures$Fine.class");
        assertThat(SystemJava.faults(cls.getFirst(), HERE, MACHINE)).isEmpty();
    }

    @Test
    void aCircleIsFound() throws IOException {
        assertThat(new Floors(classes(TEST_CLASSES.resolve(HERE), "Fixtures$Circle")).cycle())
                .containsExactly("CircleA", "CircleB", "CircleA");
        var stairs = new Floors(classes(TEST_CLASSES.resolve(HERE), "Fixtures$Stair"));
        assertThat(stairs.cycle()).isEmpty();
        assertThat(stairs.toString()).contains("1  StairUp").contains("0  StairDown");
    }

    private static List<ClassModel> classes(Path folder, String prefix) throws IOException {
        try (var files = Files.walk(folder)) {
            var classes = new ArrayList<ClassModel>();
            for (Path file : files
                    .filter(f -> f.getFileName().toString().startsWith(prefix) && f.toString().endsWith(".class"))
                    .sorted().toList()) {
                if (!file.endsWith("package-info.class")) classes.add(ClassFile.of().parse(file));
            }
            assertThat(classes).isNotEmpty();
            return classes;
        }
    }
}
