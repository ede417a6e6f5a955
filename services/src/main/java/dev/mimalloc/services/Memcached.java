package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/** memcached: keys are set and got, on connections that come and go; then most keys are deleted. */
final class Memcached implements Service {
    private static final int CLIENTS = 4, BATCH = 500;
    private static final String FILLER = "mimalloc".repeat(600);

    @Override
    public String name() { return "memcached"; }

    @Override
    public String title() { return "memcached: set, get and delete, on connections that come and go"; }

    @Override
    public List<String> packages() { return List.of("memcached"); }

    @Override
    public List<String> command(Place place) throws IOException {
        // Room for all that is set: what is evicted depends on the time.
        return place.unprivileged(List.of(place.program("usr/bin/memcached"), "-l", "127.0.0.1", "-p", "" + place.port(),
                "-U", "0", "-m", "1024", "-t", "" + CLIENTS));
    }

    @Override
    public boolean isReady(Place place) throws IOException {
        try (var wire = new Wire(place.port())) {
            return wire.write("version\r\n").flush().readLine().startsWith("VERSION");
        }
    }

    @Override
    public OptionalLong live(Place place) throws IOException {
        try (var wire = new Wire(place.port())) {
            wire.write("stats\r\n").flush();
            for (String line = wire.readLine(); !line.equals("END"); line = wire.readLine()) {
                if (line.startsWith("STAT bytes ")) return OptionalLong.of(Long.parseLong(line.substring(11)));
            }
            return OptionalLong.empty();
        }
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int keys = (place.quick() ? 20_000 : 100_000) / CLIENTS, requests = (place.quick() ? 40_000 : 320_000) / CLIENTS;
        return "" + load.clients("requests", CLIENTS, (client, random) -> {
            long checksum = 0;
            for (int i = 0; i < requests; i += BATCH) checksum = 31 * checksum + batch(place, load, client, keys, random);
            return checksum;
        }) + load.clients("delete", CLIENTS, (client, _) -> {
            try (var wire = new Wire(place.port())) {
                for (int i = 0; i < keys; i++) if (i % 16 != 0) delete(wire, client, i);
                return wire.checksum();
            }
        });
    }

    // A connection's life.
    private static long batch(Place place, Load load, int client, int keys, SplittableRandom random) throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < BATCH; i++) {
                int key = random.nextInt(keys), kind = random.nextInt(10), length = random.nextInt(16, FILLER.length());
                long start = System.nanoTime();
                if (kind < 4) {
                    wire.write("set k%d:%d 0 0 %d\r\n%s\r\n".formatted(client, key, length, FILLER.substring(0, length)))
                            .flush();
                    expect(wire, "STORED");
                } else if (kind < 9) {
                    get(wire, client, key);
                } else {
                    delete(wire, client, key);
                }
                load.took(System.nanoTime() - start);
            }
            return wire.checksum();
        }
    }

    private static void get(Wire wire, int client, int key) throws IOException {
        wire.write("get k%d:%d\r\n".formatted(client, key)).flush();
        for (String line = wire.readLine(); !line.equals("END"); line = wire.readLine()) {
            if (!line.startsWith("VALUE ")) throw new Failed("memcached answers " + line);
            wire.readBytes(Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)) + 2);
        }
    }

    private static void delete(Wire wire, int client, int key) throws IOException {
        wire.write("delete k%d:%d\r\n".formatted(client, key)).flush();
        expect(wire, "DELETED", "NOT_FOUND");
    }

    private static void expect(Wire wire, String... answers) throws IOException {
        String line = wire.readLine();
        if (!List.of(answers).contains(line)) throw new Failed("memcached answers " + line);
    }
}
