package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/** Redis with {@code appendfsync always}, which promises that an acknowledged write outlives the server. */
final class RedisKilled implements Ordeal {
    private static final int ROUNDS = 3, WRITES = 1000;
    private static final String FILLER = "mimalloc".repeat(100);

    @Override
    public String name() { return "redis-killed"; }

    @Override
    public String title() { return "Redis is killed while it writes with appendfsync always"; }

    @Override
    public Service service() { return new Redis(); }

    @Override
    public Held run(Place place, Allocator allocator) throws IOException, InterruptedException {
        var redis = service();
        var command = Ordeal.with(redis.command(place), "--appendonly", "yes", "--appendfsync", "always");
        var writers = new Writers();
        for (int i = 0; i < ROUNDS; i++) {
            int round = i;
            try (var daemon = Trial.start(redis, command, place, allocator)) {
                mustHave(place, writers.acknowledged());
                writers.writeUntilKilled(daemon, WRITES, (client, acknowledge) -> write(place, client + ":" + round, acknowledge));
            }
        }
        try (var daemon = Trial.start(redis, command, place, allocator)) {
            mustHave(place, writers.acknowledged());
            daemon.stop();
        }
        return new Held("every acknowledged key was there after each of %d deaths".formatted(ROUNDS),
                "%,d keys".formatted(writers.acknowledged().size()));
    }

    private static void write(Place place, String prefix, Consumer<String> acknowledge) {
        try (var wire = new Wire(place.port())) {
            for (int i = 0;; i++) {
                String key = prefix + ":" + i;
                Redis.ask(wire, "SET", key, value(key));
                acknowledge.accept(key);
            }
        } catch (IOException e) {
            // It was killed.
        }
    }

    /** Another size for each key, so that many classes of blocks are in use. */
    static String value(String key) { return key + FILLER.substring(Math.floorMod(key.hashCode(), FILLER.length())); }

    /** Fails unless all these keys have their values. */
    static void mustHave(Place place, Collection<String> keys) throws IOException {
        try (var wire = new Wire(place.port())) {
            for (String key : List.copyOf(keys)) {
                if (!Redis.ask(wire, "GET", key).equals(value(key))) throw new Failed("acknowledged key " + key + " is lost");
            }
        }
    }
}
