package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A cluster of Apache Ignite. Ours is the allocator of its data region, in Java; the others are preloaded, under Ignite's own. One of
 * its nodes is killed while rows are put.
 */
final class Ignite extends Engine {
    private static final int CLIENTS = 4, NODES = 3;

    private static final List<String> QUERIES = List.of("select count(*), sum(amount), sum(length(text)) from Row",
            "select bucket, count(*), sum(amount), max(text) from Row group by bucket order by bucket",
            "select _key, amount from Row where bucket between 100 and 160 order by amount, _key limit 5000");

    @Override
    public String name() { return "ignite"; }

    @Override
    public String title() { return "Apache Ignite: three nodes, rows put and queried, a node killed meanwhile"; }

    @Override
    String program() { return "IgniteCluster"; }

    @Override
    List<String> flags() {
        return List.of("-Xmx512m", "-DIGNITE_QUIET=true", "-DIGNITE_NO_ASCII=true", "-DIGNITE_UPDATE_NOTIFIER=false");
    }

    private static boolean isOurs(Allocator allocator) { return allocator.name().startsWith(Allocator.OURS); }

    @Override
    public Map<String, String> environment(Allocator allocator) {
        if (!isOurs(allocator)) return super.environment(allocator);
        var variables = new HashMap<>(allocator.environment());
        variables.put("IGNITE_ALLOCATOR", "ours");
        return variables;
    }

    @Override
    public boolean isOn(Place place, Daemon daemon, Allocator allocator) throws IOException {
        if (isOurs(allocator)) return ask(place, "allocator").equals("ours");
        return super.isOn(place, daemon, allocator) && ask(place, "allocator").equals("own");
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int rows = place.quick() ? 20_000 : 150_000, requests = (place.quick() ? 4_000 : 40_000) / CLIENTS;
        var digest = new StringBuilder(load.phase("load", () -> ask(place, "load " + rows)));
        digest.append(load.phase("queries", () -> query(place)));
        digest.append(load.clients("requests", CLIENTS, (client, random) -> request(place, load, client, rows, requests, random)));
        if (!ask(place, "nodes").equals("" + (NODES - 1))) throw new Failed("no node was killed");
        digest.append(load.phase("queries again", () -> query(place)));
        digest.append(load.clients("remove", CLIENTS, (client, _) -> {
            try (var wire = new Wire(place.port())) {
                for (int key = client; key < rows; key += CLIENTS) if (key / CLIENTS % 4 != 0) ask(wire, "remove " + key);
                return wire.checksum();
            }
        }));
        return digest.append(load.phase("queries at the end", () -> query(place))).toString();
    }

    private static String query(Place place) throws IOException {
        var answers = new StringBuilder();
        for (String query : QUERIES) answers.append(' ').append(ask(place, "query " + query));
        return answers.toString();
    }

    private static long request(Place place, Load load, int client, int rows, int requests, SplittableRandom random)
            throws IOException {
        try (var wire = new Wire(place.port())) {
            for (int i = 0; i < requests; i++) {
                if (client == 0 && i == requests / 2) ask(place, "kill");
                int key = random.nextInt(rows / CLIENTS) * CLIENTS + client;
                long start = System.nanoTime();
                ask(wire, random.nextInt(3) == 0 ? "put " + key + " " + i : "get " + key);
                load.took(System.nanoTime() - start);
            }
            return wire.checksum();
        }
    }
}
