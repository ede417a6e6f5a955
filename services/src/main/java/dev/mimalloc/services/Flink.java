package dev.mimalloc.services;

import java.io.IOException;
import java.util.List;

/** A job of Apache Flink with the RocksDB state backend, whose state grows, and expires as it grows elsewhere. */
final class Flink extends Engine {
    private static final int RATE = 8_000, SECONDS_ALIVE = 20;

    @Override
    public String name() { return "flink"; }

    @Override
    public String title() { return "Apache Flink: state in RocksDB that grows and expires, with checkpoints"; }

    @Override
    String program() { return "FlinkJob"; }

    @Override
    List<String> flags() { return List.of("-Xmx768m"); }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int seconds = place.quick() ? 10 : 60 * place.minutes(), window = place.quick() ? 3 : SECONDS_ALIVE;
        return load.phase("grow and expire", () -> ask(place, "run " + seconds * RATE + " " + RATE + " " + window * RATE));
    }
}
