package dev.mimalloc.translate;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.teavm.diagnostics.DefaultProblemTextConsumer;
import org.teavm.tooling.TeaVMTargetType;
import org.teavm.tooling.TeaVMTool;
import org.teavm.tooling.TeaVMToolException;
import org.teavm.vm.TeaVMOptimizationLevel;

/**
 * Makes the C library's source of core's class files: {@code Translate C-FOLDER BUILD-FOLDER} leaves src/mimalloc.c, all
 * in one file, and its headers in include/.
 */
public final class Translate {
    private Translate() {}

    public static void main(String[] args) throws IOException, TeaVMToolException {
        Path c = Path.of(args[0]), build = Path.of(args[1]);
        Core core = Core.load();
        Path generated = Files.createTempDirectory("mimalloc-translate");
        try {
            teavm(generated);
            var one = new Amalgamation(c);
            one.include(c.resolve("mimalloc.c"), Generated.functions(core, generated), Wrappers.of(core));
            write(build.resolve("src/mimalloc.c"), one.text());
        } finally {
            delete(generated);
        }
        try (var headers = Files.list(c.resolve("include"))) {
            for (Path header : headers.toList()) {
                write(build.resolve("include").resolve(header.getFileName()), Files.readString(header));
            }
        }
    }

    /** Leaves a file alone that is right already, so that nothing is compiled again because of it. */
    private static void write(Path file, String text) throws IOException {
        if (Files.exists(file) && Files.readString(file).equals(text)) return;
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static void teavm(Path into) throws TeaVMToolException {
        var tool = new TeaVMTool();
        tool.setTargetType(TeaVMTargetType.C);
        tool.setMainClass(Nothing.class.getName());
        tool.setTargetDirectory(into.toFile());
        tool.setTargetFileName("");
        // The C compiler optimises; TeaVM's own inlining would only hide which method is which.
        tool.setOptimizationLevel(TeaVMOptimizationLevel.SIMPLE);
        tool.setClassLoader(Translate.class.getClassLoader());
        tool.generate();
        for (var problem : tool.getProblemProvider().getProblems()) {
            var text = new DefaultProblemTextConsumer();
            problem.render(text);
            System.err.println(problem.getSeverity() + ": " + text.getText());
        }
        if (!tool.getProblemProvider().getSevereProblems().isEmpty()) {
            throw new IllegalStateException("core does not translate: see above");
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        }
    }

    /** TeaVM wants a main class; but the exports are what is reachable. */
    public static final class Nothing {
        private Nothing() {}

        public static void main(String[] args) {}
    }
}
