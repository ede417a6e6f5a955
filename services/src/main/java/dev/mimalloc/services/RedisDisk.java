package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Redis, whose log of writes comes to the end of its disk: it refuses writes until there is room again. */
final class RedisDisk implements Ordeal {
    private static final int DISK_MIB = 8, BALLAST_MIB = 4, MORE = 1000;
    // More than ten times what fits on the disk.
    private static final int MOST = 100_000;

    @Override
    public String name() { return "redis-disk"; }

    @Override
    public String title() { return "Redis' disk is full for a while"; }

    @Override
    public Service service() { return new Redis(); }

    /** Not everybody may mount in a namespace of his own. */
    @Override
    public void prepare(Place place) throws IOException, InterruptedException {
        new Disk(place.folder(), DISK_MIB).close();
    }

    @Override
    public Held run(Place place, Allocator allocator) throws IOException, InterruptedException {
        var redis = service();
        var keys = new ArrayList<String>();
        try (var disk = new Disk(place.folder(), DISK_MIB)) {
            Path ballast = Files.write(disk.folder().resolve("ballast"), new byte[BALLAST_MIB << 20]);
            var command = Ordeal.with(redis.command(place), "--dir", disk.folder().toString(), "--appendonly", "yes");
            try (var daemon = Trial.start(redis, command, place, allocator)) {
                fill(place, keys);
                RedisKilled.mustHave(place, keys);
                Files.delete(ballast);
                Redis.await("it does not write again", () -> isWritable(place));
                for (int i = 0; i < MORE; i++) write(place, keys, "more:" + i);
                daemon.stop();
            }
            try (var daemon = Trial.start(redis, command, place, allocator)) {
                RedisKilled.mustHave(place, keys);
                daemon.stop();
            }
        }
        return new Held("writes were refused and reads answered while it was full; then it went on, and had each acknowledged key",
                "%,d keys".formatted(keys.size()));
    }

    private static void fill(Place place, List<String> keys) throws IOException {
        try {
            for (int i = 0; i < MOST; i++) write(place, keys, "key:" + i);
        } catch (Failed e) {
            if (e.getMessage().contains("-MISCONF") && e.getMessage().contains("No space left on device")) return;
            throw e;
        }
        throw new Failed("no write was refused");
    }

    private static void write(Place place, List<String> keys, String key) throws IOException {
        Redis.ask(place, "SET", key, RedisKilled.value(key));
        keys.add(key);
    }

    private static boolean isWritable(Place place) throws IOException {
        try {
            return Redis.ask(place, "SET", "again", "yes").equals("OK");
        } catch (Failed e) {
            return false;
        }
    }
}
