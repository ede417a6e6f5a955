package dev.mimalloc.services.engines;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;

/**
 * A cluster of Apache Kafka of one node, broker and controller, and clients that reach it by the loopback. Each topic has its
 * name from how it is compressed: by native libraries, zlib among them, or not at all.
 */
public final class KafkaNode {
    private static final List<String> TOPICS = List.of("zstd", "lz4", "gzip", "none");
    private static final byte[] FILLER = "mimalloc and what a log's record has in it; ".repeat(100).getBytes(StandardCharsets.US_ASCII);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final String broker = "127.0.0.1:" + freePort();
    private final KafkaRaftServer server;
    private final Map<String, Object> client = Map.of("bootstrap.servers", broker);

    private KafkaNode(Path folder) throws IOException {
        String controller = "127.0.0.1:" + freePort();
        var options = new Properties();
        options.putAll(Map.of("process.roles", "broker,controller", "node.id", "1", "controller.quorum.voters", "1@" + controller,
                "controller.listener.names", "CONTROLLER", "listeners", "PLAINTEXT://" + broker + ",CONTROLLER://" + controller,
                "log.dirs", folder.resolve("logs").toString(), "offsets.topic.replication.factor", "1", "log.segment.bytes", "16777216",
                "file.delete.delay.ms", "100"));
        Path file = folder.resolve("server.properties");
        try (var writer = Files.newBufferedWriter(file)) {
            options.store(writer, null);
        }
        int code = StorageTool.execute(new String[] {"format", "-t", "bWltYWxsb2MtaW4tamF2YQ", "-c", file.toString()}, System.out);
        if (code != 0) throw new IOException("its folder cannot be formatted: " + code);
        server = new KafkaRaftServer(KafkaConfig.fromProps(options), Time.SYSTEM);
        server.startup();
        try (var admin = Admin.create(client)) {
            admin.createTopics(TOPICS.stream().map(name -> new NewTopic(name, 1, (short) 1)).toList()).all().get();
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Arguments: the port of the control and the folder. */
    public static void main(String[] args) throws IOException {
        var node = new KafkaNode(Path.of(args[1]));
        Control.serve(Integer.parseInt(args[0]), words -> switch (words[0]) {
            case "ready" -> "ready";
            case "produce" -> "" + node.produce(TOPICS.get(Integer.parseInt(words[1])), Integer.parseInt(words[2]), Long.parseLong(words[3]));
            case "consume" -> "" + node.consume(TOPICS.get(Integer.parseInt(words[1])), Integer.parseInt(words[2]));
            case "delete" -> node.delete(TOPICS.get(Integer.parseInt(words[1])));
            default -> throw new IllegalArgumentException(words[0]);
        }, () -> {
            node.server.shutdown();
            node.server.awaitShutdown();
        });
    }

    /** Sends records and waits until each is acknowledged; a checksum of them. */
    private long produce(String topic, int count, long seed) throws Exception {
        var random = new SplittableRandom(seed);
        var checksum = new CRC32();
        var sent = new ArrayList<Future<RecordMetadata>>();
        Map<String, Object> options = Map.of("bootstrap.servers", broker, "acks", "all", "compression.type", topic, "linger.ms", "5");
        try (var producer = new KafkaProducer<>(options, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < count; i++) {
                int size = random.nextInt(100, FILLER.length);
                var value = new byte[size];
                System.arraycopy(FILLER, FILLER.length - size, value, 0, size);
                for (int at = 0; at < size; at += 1 + random.nextInt(40)) value[at] = (byte) random.nextInt();
                checksum.update(value);
                sent.add(producer.send(new ProducerRecord<>(topic, value)));
            }
            for (var record : sent) record.get();
        }
        return checksum.getValue();
    }

    /** Reads a topic from its beginning, which has to have so many records; a checksum of them. */
    private long consume(String topic, int count) throws IOException {
        var checksum = new CRC32();
        var partition = new TopicPartition(topic, 0);
        long end = System.nanoTime() + PATIENCE.toNanos();
        int seen = 0;
        try (var consumer = new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            if (consumer.endOffsets(List.of(partition)).get(partition) != count) throw new IOException("not as many as were sent");
            while (seen < count) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    checksum.update(record.value());
                    seen++;
                }
                if (System.nanoTime() > end) throw new IOException("only " + seen + " records came");
            }
        }
        return checksum.getValue();
    }

    private String delete(String topic) throws Exception {
        try (var admin = Admin.create(client)) {
            admin.deleteTopics(List.of(topic)).all().get();
        }
        return "deleted";
    }
}
