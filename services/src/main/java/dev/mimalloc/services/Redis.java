package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * Redis: keys are set, most of them expire, others of other sizes come, as fragments memory; a snapshot is taken by a forked child;
 * then single requests, which are timed, and most keys are deleted.
 */
final class Redis implements Service {
    private static final int CLIENTS = 4, PIPELINE = 32, SURVIVORS = 4;
    private static final String FILLER = "mimalloc".repeat(300);

    @Override
    public String name() { return "redis"; }

    @Override
    public String title() { return "Redis: set, expire, set anew, snapshot, requests, delete"; }

    @Override
    public List<String> packages() { return List.of("redis-server", "redis-tools"); }

    @Override
    public List<String> command(Place place) throws IOException {
        // Debian has one program for all of Redis, which goes by the name that it is called by.
        Path server = place.folder().resolve("redis-server");
        Files.createSymbolicLink(server, Path.of(place.program("usr/bin/redis-check-rdb")));
        return List.of(server.toString(), "--bind", "127.0.0.1", "--port", "" + place.port(), "--dir",
                place.folder().toString(), "--save", "", "--appendonly", "no", "--enable-debug-command", "yes");
    }

    @Override
    public boolean isReady(Place place) throws IOException { return ask(place, "PING").equals("PONG"); }

    @Override
    public OptionalLong live(Place place) throws IOException {
        return OptionalLong.of(Long.parseLong(info(place, "memory", "used_memory")));
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int keys = (place.quick() ? 80_000 : 400_000) / CLIENTS, requests = (place.quick() ? 40_000 : 320_000) / CLIENTS;
        var digest = new StringBuilder();
        digest.append(load.clients("fill", CLIENTS, (client, random) -> fill(place, "a" + client, keys, 16, 800, random)));
        digest.append(load.clients("expire", CLIENTS, (client, _) -> expire(place, "a" + client, keys)));
        load.phase("wait until expired", () -> {
            int left = CLIENTS * ((keys + SURVIVORS - 1) / SURVIVORS);
            return await("keys that have expired are still there", () -> ask(place, "DBSIZE").equals("" + left));
        });
        digest.append(load.clients("fill again", CLIENTS,
                (client, random) -> fill(place, "b" + client, keys / 2, 200, 2000, random)));
        load.phase("snapshot", () -> {
            ask(place, "BGSAVE");
            return await("no snapshot", () -> info(place, "persistence", "rdb_bgsave_in_progress").equals("0")
                    && info(place, "persistence", "rdb_last_bgsave_status").equals("ok"));
        });
        digest.append(load.clients("requests", CLIENTS,
                (client, random) -> request(place, load, client, keys, requests, random)));
        digest.append(ask(place, "DEBUG", "DIGEST"));
        digest.append(load.clients("delete", CLIENTS, (client, _) -> delete(place, "b" + client, keys / 2)));
        return digest.append(ask(place, "DEBUG", "DIGEST")).toString();
    }

    static long fill(Place place, String prefix, int keys, int least, int most, SplittableRandom random)
            throws IOException {
        return pipeline(place, keys, (wire, i) -> send(wire, "SET", prefix + ":" + i,
                FILLER.substring(0, random.nextInt(least, most))));
    }

    private static long expire(Place place, String prefix, int keys) throws IOException {
        return pipeline(place, keys, (wire, i) -> {
            // A survivor is asked for its life time, so that there is an answer to each.
            if (i % SURVIVORS == 0) send(wire, "TTL", prefix + ":" + i);
            else send(wire, "PEXPIRE", prefix + ":" + i, "1");
        });
    }

    private static long delete(Place place, String prefix, int keys) throws IOException {
        return pipeline(place, keys, (wire, i) -> send(wire, i % 16 == 0 ? "EXISTS" : "UNLINK", prefix + ":" + i));
    }

    private static long request(Place place, Load load, int client, int keys, int requests, SplittableRandom random)
            throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < requests; i++) {
                int number = random.nextInt(keys);
                String value = FILLER.substring(0, random.nextInt(16, 1200)), key = client + ":" + number;
                long start = System.nanoTime();
                switch (random.nextInt(8)) {
                    case 0 -> send(wire, "SET", "a" + key, value);
                    case 1 -> send(wire, "APPEND", "c" + key, value.substring(0, value.length() / 8));
                    case 2 -> send(wire, "HSET", "hash" + client + ":" + number % 500, "field" + number, value);
                    case 3 -> send(wire, "ZADD", "sorted" + client + ":" + number % 50, "" + number, "member" + number);
                    case 4 -> send(wire, "ZRANGE", "sorted" + client + ":" + number % 50, "0", "20");
                    case 5 -> send(wire, "DEL", "b" + key);
                    default -> send(wire, "GET", "b" + key);
                }
                wire.flush();
                receive(wire);
                load.took(System.nanoTime() - start);
            }
            return wire.checksum();
        }
    }

    private interface Command {
        void send(Wire wire, int index) throws IOException;
    }

    private static long pipeline(Place place, int count, Command command) throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < count; i += PIPELINE) {
                int end = Math.min(i + PIPELINE, count);
                for (int j = i; j < end; j++) command.send(wire, j);
                wire.flush();
                for (int j = i; j < end; j++) receive(wire);
            }
            return wire.checksum();
        }
    }

    static boolean await(String complaint, Load.Work<Boolean> condition)
            throws IOException, InterruptedException {
        for (int i = 0; i < 1200; i++) { // a minute
            if (condition.run()) return true;
            Thread.sleep(50);
        }
        throw new Failed(complaint);
    }

    static String info(Place place, String section, String key) throws IOException {
        return ask(place, "INFO", section).lines().filter(line -> line.startsWith(key + ":")).findFirst()
                .map(line -> line.substring(key.length() + 1).strip())
                .orElseThrow(() -> new Failed("INFO has no " + key));
    }

    static String ask(Place place, String... words) throws IOException {
        try (var wire = new Wire(place.port())) {
            return ask(wire, words);
        }
    }

    static String ask(Wire wire, String... words) throws IOException {
        send(wire, words);
        wire.flush();
        return receive(wire);
    }

    private static void send(Wire wire, String... words) throws IOException {
        wire.write("*" + words.length + "\r\n");
        for (String word : words) wire.write("$" + word.length() + "\r\n" + word + "\r\n");
    }

    /** An answer as text; of an array, its last element. */
    private static String receive(Wire wire) throws IOException {
        String line = wire.readLine(), rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '+', ':' -> rest;
            case '$' -> {
                int length = Integer.parseInt(rest);
                yield length < 0 ? "" : new String(wire.readBytes(length + 2), StandardCharsets.ISO_8859_1).substring(0, length);
            }
            case '*' -> {
                String last = "";
                for (int i = Integer.parseInt(rest); i > 0; i--) last = receive(wire);
                yield last;
            }
            default -> throw new Failed("Redis answers " + line);
        };
    }
}
