package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/** A JVM whose own allocations are the load, {@link JvmWork}: direct memory that comes and goes, and zlib's by JNI. */
final class Jvm implements Service {
    private static final int CLIENTS = 4;

    @Override
    public String name() { return "jvm"; }

    @Override
    public String title() { return "A JVM: direct memory of all sizes, closed or left to the collector, and zlib's"; }

    @Override
    public List<String> packages() { return List.of(); }

    /** The heap is resident from the start, so that what grows and shrinks is other memory. */
    @Override
    public List<String> command(Place place) throws IOException {
        try {
            String classes = Path.of(JvmWork.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
            return List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch",
                    "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=512m", "-cp", classes, JvmWork.class.getName(), "" + place.port());
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }

    @Override
    public boolean isReady(Place place) throws IOException { return ask(place, "ready").equals("ready"); }

    @Override
    public OptionalLong live(Place place) throws IOException { return OptionalLong.of(Long.parseLong(ask(place, "live"))); }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int requests = (place.quick() ? 8_000 : 32_000) / CLIENTS;
        return load.clients("churn", CLIENTS, (client, random) -> churn(place, load, client, requests, random)) + " "
                + load.clients("shrink", CLIENTS, (client, _) -> Long.parseLong(ask(place, "shrink " + client)));
    }

    private static long churn(Place place, Load load, int client, int requests, SplittableRandom random) throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < requests; i++) {
                String request = (i % 8 == 0 ? "zip " : "replace ") + client + " " + random.nextInt();
                long start = System.nanoTime();
                ask(wire, request);
                load.took(System.nanoTime() - start);
            }
            return wire.checksum();
        }
    }

    private static String ask(Place place, String line) throws IOException {
        try (var wire = new Wire(place.port())) {
            return ask(wire, line);
        }
    }

    private static String ask(Wire wire, String line) throws IOException {
        String answer = wire.write(line + "\n").flush().readLine();
        if (answer.startsWith("failed")) throw new Failed(line + " has " + answer);
        return answer;
    }
}
