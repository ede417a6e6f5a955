package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Options;
import java.io.File;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** System properties that make no sense, in a process of their own. */
class SettingsTest {
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            Mimalloc.free(Mimalloc.malloc(100));
            Arenas.ofAuto().allocate(100);
            System.out.println("done");
        }
    }

    /** What a program with these properties says on standard error; it must end well. */
    private static String errors(String... properties) throws Exception {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of(properties));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", classPath(),
                Program.class.getName()));
        var builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("MIMALLOC_"));
        Process process = builder.redirectError(ProcessBuilder.Redirect.PIPE).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(err).isZero();
        assertThat(out).isEqualTo("done\n");
        return err;
    }

    /** Where the classes are: under test they are those of modules. */
    static String classPath() {
        var homes = new ArrayList<String>();
        for (Class<?> type : List.of(Program.class, Mimalloc.class, Options.class)) {
            String name = "/" + type.getName().replace('.', '/') + ".class";
            String url = type.getResource(name).toString();
            String home = url.substring(0, url.length() - name.length()).replaceAll("^jar:|!$", "");
            homes.add(Path.of(URI.create(home)).toString());
        }
        return String.join(File.pathSeparator, homes);
    }

    private static void assertNamedOnce(String errors, String... names) {
        for (String name : names) assertThat(errors.split(name + "\\b", -1)).as("%s in %s", name, errors).hasSize(2);
    }

    @Test
    void namesThatThereAreNotAreNamedOnce() throws Exception {
        assertNamedOnce(errors("-Ddev.mimalloc.purge.dely=5", "-Ddev.mimalloc.leak=true", "-Ddev.mimalloc=1",
                "-Ddev.mimalloc.os.tag=5"), "dev.mimalloc.purge.dely", "dev.mimalloc.leak", "dev.mimalloc.os.tag");
    }

    @Test
    void valuesThatMakeNoSenseAreNamedOnce() throws Exception {
        assertNamedOnce(errors("-Ddev.mimalloc.leaks=quiet", "-Ddev.mimalloc.leaks.depth=abc",
                "-Ddev.mimalloc.leaks.freed=-1", "-Ddev.mimalloc.automatic.max=1GB", "-Ddev.mimalloc.jmx=maybe",
                "-Ddev.mimalloc.debug=yes", "-Ddev.mimalloc.purge.delay=-5", "-Ddev.mimalloc.purge.decommits=maybe"), "dev.mimalloc.leaks.depth=abc",
                "dev.mimalloc.leaks.freed=-1", "dev.mimalloc.automatic.max=1GB", "dev.mimalloc.jmx=maybe",
                "dev.mimalloc.debug=yes", "MIMALLOC_PURGE_DELAY", "MIMALLOC_PURGE_DECOMMITS");
        assertNamedOnce(errors("-Ddev.mimalloc.leaks=maybe"), "dev.mimalloc.leaks=maybe");
    }

    @Test
    void aWayToMemoryThatCannotBeHadIsNamedOnce() throws Exception {
        for (String way : List.of("nonsense", "FFM", "internal")) {
            assertNamedOnce(errors("-Ddev.mimalloc.memory=" + way), "dev.mimalloc.memory=" + way);
        }
        assertNamedOnce(errors("-Ddev.mimalloc.memory=sun", "--sun-misc-unsafe-memory-access=deny"),
                "dev.mimalloc.memory=sun");
    }

    @Test
    void thoseThatThereArePassInSilence() throws Exception {
        assertThat(errors("-Ddev.mimalloc.leaks=quiet", "-Ddev.mimalloc.leaks.depth=3", "-Ddev.mimalloc.leaks.freed=0",
                "-Ddev.mimalloc.automatic.max=1000000", "-Ddev.mimalloc.jmx=false", "-Ddev.mimalloc.debug=1",
                "-Ddev.mimalloc.memory=ffm",
                "-Ddev.mimalloc.purge.delay=-1", "-Ddev.mimalloc.reset.delay=3",
                "-Ddev.mimalloc.arena.reserve=64MiB", "-Ddev.mimalloc.profile=", "-Ddev.mimalloc.profile.sample.rate=4096")).isEmpty();
    }
}
