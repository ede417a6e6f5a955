package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * A store on RocksDB, as the state of a stream's processor: what is put expires when so much more has been put, and is read
 * meanwhile, by key and in order. The store is a small program of this project, {@code store.cpp}.
 */
final class RocksDb implements Service {
    private static final int CLIENTS = 4, PIPELINE = 32;

    @Override
    public String name() { return "rocksdb"; }

    @Override
    public String title() { return "RocksDB: state that grows, expires and is read"; }

    @Override
    public List<String> packages() { return List.of("librocksdb-dev"); }

    @Override
    public void prepare(Place place) throws IOException, InterruptedException {
        try (var source = RocksDb.class.getResourceAsStream("store.cpp")) {
            Files.write(place.folder().resolve("store.cpp"), source.readAllBytes());
        }
        Path libraries = place.libraries();
        place.execute(List.of("g++", "-std=c++17", "-O2", "-o", "store", "store.cpp", "-I", place.tree().resolve("usr/include")
                .toString(), "-L", libraries.toString(), "-Wl,-rpath-link," + libraries, "-lrocksdb", "-pthread"));
    }

    @Override
    public List<String> command(Place place) throws IOException {
        Path data = Files.createDirectories(place.folder().resolve("data"));
        return List.of(place.folder().resolve("store").toString(), "" + place.port(), data.toString(), place.quick() ? "8" : "64");
    }

    @Override
    public boolean isReady(Place place) throws IOException { return ask(place, "G none").equals("-"); }

    @Override
    public OptionalLong live(Place place) throws IOException { return OptionalLong.of(Long.parseLong(ask(place, "M"))); }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int window = (place.quick() ? 40_000 : 200_000) / CLIENTS, turns = (place.quick() ? 20_000 : 400_000) / CLIENTS;
        return load.clients("grow", CLIENTS, (client, random) -> grow(place, client, window, random))
                + " " + load.clients("grow and expire", CLIENTS,
                        (client, random) -> turn(place, load, client, window, turns, random))
                + " " + load.phase("read all", () -> ask(place, "C"));
    }

    private static long grow(Place place, int client, int window, SplittableRandom random) throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < window; i += PIPELINE) {
                int end = Math.min(i + PIPELINE, window);
                for (int j = i; j < end; j++) put(wire, client, j, random);
                wire.flush();
                for (int j = i; j < end; j++) receive(wire);
            }
            return wire.checksum();
        }
    }

    private static long turn(Place place, Load load, int client, int window, int turns, SplittableRandom random)
            throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < turns; i++) {
                long start = System.nanoTime();
                switch (i % 4) {
                    case 0 -> put(wire, client, window + i, random);
                    case 1 -> wire.write("D " + key(client, i - 1) + "\n");
                    case 2 -> wire.write("G " + key(client, i + random.nextInt(window)) + "\n");
                    // Only keys of this client, so that the others' state does not matter: they end before its window does.
                    default -> wire.write("S " + key(client, i + random.nextInt(window / 4)) + " 20\n");
                }
                wire.flush();
                receive(wire);
                load.took(System.nanoTime() - start);
            }
            return wire.checksum();
        }
    }

    private static void put(Wire wire, int client, int number, SplittableRandom random) throws IOException {
        wire.write("P " + key(client, number) + " " + random.nextInt(20, 1500) + "\n");
    }

    private static String key(int client, int number) { return "%d:%09d".formatted(client, number); }

    private static String ask(Place place, String line) throws IOException {
        try (var wire = new Wire(place.port())) {
            wire.write(line + "\n").flush();
            return receive(wire);
        }
    }

    private static String receive(Wire wire) throws IOException {
        String line = wire.readLine();
        if (line.equals("failed")) throw new Failed("RocksDB has refused a request");
        return line;
    }
}
