package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.thread.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * All that a slow path needs is loaded before. With {@code -Dmimalloc.write=true} the lists of core's classes, in Boot and
 * in FlightCalled, are written instead.
 */
class BootTest {
    private static final String MACHINE = "dev/mimalloc/machine/";
    private static final Path SOURCES = Path.of("src/main/java/dev/mimalloc");
    private static final Pattern LOADED = Pattern.compile("(?<=CLASSES = \"{3}\n)[^;]*(?=\"{3};)");
    private static final Pattern LEFT_OUT = Pattern.compile("(?: +(?:\"dev\\.mimalloc\\.core\\.[\\w.]+\",[ \n])+)+");
    private static final int WIDTH = 120;

    /** A class that is missing here would be loaded in the middle of a slow path. */
    @Test
    void allClassesOfCoreAreLoaded() throws Exception {
        if (Boolean.getBoolean("mimalloc.write")) {
            write();
            return;
        }
        assertThat((Boot.CLASSES + " " + Boot.NOT_CALLED).split(" ", -1))
                .containsExactlyInAnyOrderElementsOf(classesOfCore());
    }

    @Test
    void whatIsNotLoadedIsNotCalled() throws Exception {
        Set<String> called = new TreeSet<>();
        for (String name : Boot.CLASSES.split(" ", -1)) {
            try (InputStream code = Threads.class.getResourceAsStream("/dev/mimalloc/core/" + name.replace('.', '/') + ".class")) {
                for (PoolEntry entry : ClassFile.of().parse(code.readAllBytes()).constantPool()) {
                    if (entry instanceof ClassEntry type) called.add(type.asInternalName());
                }
            }
        }
        assertThat(called).contains("dev/mimalloc/core/model/Heap");
        for (String name : Boot.NOT_CALLED.split(" ", -1)) assertThat(called).doesNotContain("dev/mimalloc/core/" + name.replace('.', '/'));
    }

    /** So would one of the machine's. */
    @Test
    void allOfTheMachineThatCoreUsesIsLoaded() throws Exception {
        Set<String> used = new TreeSet<>();
        for (String name : classesOfCore()) {
            try (InputStream code = Threads.class.getResourceAsStream("/dev/mimalloc/core/" + name.replace('.', '/') + ".class")) {
                for (PoolEntry entry : ClassFile.of().parse(code.readAllBytes()).constantPool()) {
                    if (!(entry instanceof ClassEntry type)) continue;
                    String machine = type.asInternalName();
                    if (machine.startsWith(MACHINE)) used.add(machine.substring(MACHINE.length()));
                }
            }
        }
        assertThat(used).contains("Memory");
        assertThat(Boot.MACHINE.split(" ", -1)).containsAll(used);
    }

    private static void write() throws Exception {
        List<String> all = classesOfCore().stream().sorted().toList();
        List<String> called = new ArrayList<>(all);
        called.removeAll(List.of(Boot.NOT_CALLED.split(" ", -1)));
        replace("Boot.java", LOADED, wrapped(" ".repeat(12), called, " ", " \\\n"));
        List<String> quoted = all.stream().map(name -> "\"dev.mimalloc.core." + name + "\"").toList();
        replace("flight/FlightCalled.java", LEFT_OUT, wrapped(" ".repeat(8), quoted, ", ", ",\n") + ",\n");
    }

    private static void replace(String file, Pattern list, String by) throws IOException {
        String source = Files.readString(SOURCES.resolve(file));
        Matcher found = list.matcher(source);
        assertThat(found.find()).as("the list in " + file).isTrue();
        Files.writeString(SOURCES.resolve(file), source.substring(0, found.start()) + by + source.substring(found.end()));
    }

    private static String wrapped(String indent, List<String> names, String between, String betweenLines) {
        var text = new StringBuilder();
        var line = new StringBuilder(indent);
        for (String name : names) {
            if (line.length() + between.length() + name.length() + betweenLines.length() > WIDTH) {
                text.append(line).append(betweenLines);
                line = new StringBuilder(indent);
            }
            if (line.length() > indent.length()) line.append(between);
            line.append(name);
        }
        return text.append(line).toString();
    }

    private static List<String> classesOfCore() throws Exception {
        Path code = Path.of(URI.create(Threads.class.getProtectionDomain().getCodeSource().getLocation().toString()));
        if (Files.isDirectory(code)) return classesIn(code.resolve("dev/mimalloc/core"));
        try (FileSystem jar = FileSystems.newFileSystem(code)) {
            return classesIn(jar.getPath("dev/mimalloc/core"));
        }
    }

    private static List<String> classesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.map(file -> directory.relativize(file).toString()).filter(name -> name.endsWith(".class"))
                    .filter(name -> !name.endsWith("package-info.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()).replace('/', '.')).toList();
        }
    }
}
