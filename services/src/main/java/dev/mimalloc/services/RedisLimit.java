package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/** Redis as a cache in a container: it evicts keys at a limit of its own, and the kernel would kill it at the container's. */
final class RedisLimit implements Ordeal {
    private static final int CLIENTS = 4, KEYS = 20_000, KEPT_MIB = 48, LIMIT_MIB = 96;

    /** The least and the most bytes of a value, by turns: small ones leave holes that large ones do not fit in. */
    private static final List<int[]> SIZES = List.of(new int[] {16, 200}, new int[] {200, 2_000}, new int[] {1_000, 2_400},
            new int[] {16, 2_400});

    @Override
    public String name() { return "redis-limit"; }

    @Override
    public String title() { return "Redis' memory is limited: %d MiB of data in %d MiB".formatted(KEPT_MIB, LIMIT_MIB); }

    @Override
    public Service service() { return new Redis(); }

    /** Not everybody may make a cgroup. */
    @Override
    public void prepare(Place place) throws IOException { new MemoryLimit((long) LIMIT_MIB << 20).close(); }

    @Override
    public Held run(Place place, Allocator allocator) throws IOException, InterruptedException {
        try (var limit = new MemoryLimit((long) LIMIT_MIB << 20)) {
            try {
                String evicted = load(place, limit, allocator);
                if (limit.kills() > 0) throw new Failed("something in it was killed");
                return new Held("it lived within the limit, and evicted keys",
                        "peak %d MiB, %s keys evicted".formatted(limit.peak() >> 20, evicted));
            } catch (IOException | Failed e) {
                if (limit.kills() == 0) throw e;
                throw new Failed("killed for want of memory, at %d MiB".formatted(limit.peak() >> 20));
            }
        }
    }

    private String load(Place place, MemoryLimit limit, Allocator allocator) throws IOException, InterruptedException {
        var redis = service();
        var command = limit.command(Ordeal.with(redis.command(place), "--maxmemory", KEPT_MIB + "mb", "--maxmemory-policy", "allkeys-lru"));
        try (var daemon = Trial.start(redis, command, place, allocator)) {
            for (int turn : IntStream.range(0, SIZES.size()).toArray()) {
                int[] sizes = SIZES.get(turn);
                new Load().clients("fill" + turn, CLIENTS, (client, random) -> Redis.fill(place, turn + ":" + client, KEYS, sizes[0],
                        sizes[1], random));
            }
            String evicted = Redis.info(place, "stats", "evicted_keys");
            if (evicted.equals("0")) throw new Failed("nothing was evicted");
            daemon.stop();
            return evicted;
        }
    }
}
