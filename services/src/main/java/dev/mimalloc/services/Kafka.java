package dev.mimalloc.services;

import java.io.IOException;
import java.util.List;

/** A cluster of Apache Kafka of one node: topics with zstd, lz4, gzip and without are written, read twice, and deleted. */
final class Kafka extends Engine {
    private static final int TOPICS = 4, BATCH = 200, READINGS = 2;

    @Override
    public String name() { return "kafka"; }

    @Override
    public String title() { return "Apache Kafka: a node, records with zstd, lz4, gzip and without, written and read"; }

    @Override
    String program() { return "KafkaNode"; }

    @Override
    List<String> flags() { return List.of("-Xmx384m"); }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int batches = place.quick() ? 20 : 400;
        var digest = new StringBuilder();
        digest.append(load.clients("produce", TOPICS, (topic, random) -> {
            long sum = 0;
            for (int i = 0; i < batches; i++) {
                String request = "produce %d %d %d".formatted(topic, BATCH, random.nextLong());
                long start = System.nanoTime();
                sum += Long.parseLong(ask(place, request));
                load.took(System.nanoTime() - start);
            }
            return sum;
        }));
        for (int i = 0; i < READINGS; i++) {
            digest.append(load.clients("consume", TOPICS,
                    (topic, _) -> Long.parseLong(ask(place, "consume %d %d".formatted(topic, batches * BATCH)))));
        }
        digest.append(load.phase("delete", () -> {
            var answers = new StringBuilder();
            for (int topic = 0; topic < TOPICS; topic++) answers.append(ask(place, "delete " + topic));
            return answers;
        }));
        return digest.toString();
    }
}
