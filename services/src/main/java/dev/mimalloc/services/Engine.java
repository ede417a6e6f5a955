package dev.mimalloc.services;

import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An engine of many nodes, from Maven Central: a program of module {@code services/engines}, which is told what to do by lines. */
abstract class Engine implements Service {
    private static final Path TARGET = Home.folder().resolve("services/engines/target"), JAR = TARGET.resolve("mimalloc-engines.jar");
    private static final int PATIENCE_MINUTES = 10;

    /** What one or another of them reaches into, as each documents. */
    private static final List<String> OPENED = List.of("java.base/java.io", "java.base/java.lang", "java.base/java.lang.invoke",
            "java.base/java.lang.reflect", "java.base/java.math", "java.base/java.net", "java.base/java.nio", "java.base/java.text",
            "java.base/java.time", "java.base/java.util", "java.base/java.util.concurrent",
            "java.base/java.util.concurrent.atomic", "java.base/java.util.concurrent.locks", "java.base/jdk.internal.misc",
            "java.base/jdk.internal.ref", "java.base/sun.nio.ch", "java.base/sun.nio.cs", "java.base/sun.util.calendar",
            "java.base/sun.reflect.generics.reflectiveObjects", "java.management/com.sun.jmx.mbeanserver",
            "java.sql/java.sql", "jdk.internal.jvmstat/sun.jvmstat.monitor", "jdk.management/com.sun.management.internal");

    /** The class of its program. */
    abstract String program();

    /** What its JVMs are started with beside the rest. */
    List<String> flags() { return List.of(); }

    @Override
    public boolean isLarge() { return true; }

    @Override
    public List<String> packages() { return List.of(); }

    /** Maven gets and builds it, unless all is as it was. */
    @Override
    public void prepare(Place place) throws IOException, InterruptedException {
        var process = new ProcessBuilder(Home.folder().resolve("mimalloc").toString(), "mvn", "-q", "-Pengines", "-pl",
                "services/engines", "-am", "package", "-Dmaven.test.skip=true", "-Dformatter.skip=true", "-Dtranslate.skip=true")
                .redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() == 0) return;
        throw new Failed(said.lines().filter(line -> line.contains("[ERROR]")).findFirst().orElse(said.strip()));
    }

    @Override
    public List<String> command(Place place) throws IOException {
        if (!Files.isReadable(JAR)) throw new Failed("there is no " + JAR);
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
        OPENED.forEach(name -> command.add("--add-opens=" + name + "=ALL-UNNAMED"));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(flags());
        command.addAll(List.of("-cp", TARGET.resolve("lib") + "/*:" + JAR, "dev.mimalloc.services.engines." + program(), ""
                + place.port(), place.folder().toString()));
        return command;
    }

    @Override
    public boolean isReady(Place place) throws IOException { return ask(place, "ready").equals("ready"); }

    static String ask(Place place, String line) throws IOException {
        try (var wire = new Wire(place.port(), patienceMillis(place))) {
            return ask(wire, line);
        }
    }

    /** One request may be all that a run is asked for, on a machine that does not keep up with its events. */
    static int patienceMillis(Place place) {
        return (int) Math.min(Integer.MAX_VALUE, TimeUnit.MINUTES.toMillis(PATIENCE_MINUTES + 2L * place.minutes()));
    }

    static String ask(Wire wire, String line) throws IOException {
        String answer = wire.write(line + "\n").flush().readLine();
        if (answer.startsWith("failed: ")) throw new Failed(line + " has " + answer);
        return answer;
    }
}
