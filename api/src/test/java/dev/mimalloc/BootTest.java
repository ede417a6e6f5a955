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
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BootTest {
    private static final String MACHINE = "dev/mimalloc/machine/";

    /** A class that is missing here would be loaded in the middle of a slow path. */
    @Test
    void allClassesOfCoreAreLoaded() throws Exception {
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
