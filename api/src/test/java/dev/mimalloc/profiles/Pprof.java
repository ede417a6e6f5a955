package dev.mimalloc.profiles;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/** A profile as a reader finds it in a file, from the format's description alone. */
public record Pprof(List<String> types, List<Sample> samples, long time, long duration, String periodType, long period,
        String defaultType) {

    /** A place in a stack. */
    public record Place(String function, String systemName, String file, long line) {}

    /** A stack, the innermost place first, with its values. */
    public record Sample(List<Place> stack, List<Long> values) {
        boolean has(String function) { return stack.stream().anyMatch(place -> place.function.endsWith(function)); }
    }

    /** Reads a file. */
    public static Pprof read(Path file) throws IOException { return read(Files.readAllBytes(file)); }

    static Pprof read(byte[] zipped) throws IOException {
        byte[] bytes;
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(zipped))) {
            bytes = in.readAllBytes();
        }
        Message message = new Message(bytes);
        List<String> texts = message.all(6).stream().map(text -> new String(text, StandardCharsets.UTF_8)).toList();
        if (!texts.getFirst().isEmpty()) throw new IOException("the first text is not empty");
        Map<Long, Message> functions = byId(message.all(5)), locations = byId(message.all(4));
        Map<Long, Place> places = new HashMap<>();
        for (var location : locations.entrySet()) {
            List<byte[]> lines = location.getValue().all(4);
            if (lines.size() != 1) throw new IOException("a place with " + lines.size() + " lines");
            Message line = new Message(lines.getFirst()), function = functions.get(line.number(1));
            places.put(location.getKey(), new Place(texts.get((int) function.number(2)), texts.get((int) function.number(3)),
                    texts.get((int) function.number(4)), line.number(2)));
        }
        List<Sample> samples = new ArrayList<>();
        for (byte[] one : message.all(2)) {
            Message sample = new Message(one);
            List<Place> stack = numbers(sample.all(1).getFirst()).stream().map(places::get).toList();
            samples.add(new Sample(stack, numbers(sample.all(2).getFirst())));
        }
        List<String> types = new ArrayList<>();
        for (byte[] type : message.all(1)) types.add(type(new Message(type), texts));
        return new Pprof(types, samples, message.number(9), message.number(10),
                type(new Message(message.all(11).getFirst()), texts), message.number(12),
                texts.get((int) message.number(14)));
    }

    private static String type(Message type, List<String> texts) {
        return texts.get((int) type.number(1)) + "/" + texts.get((int) type.number(2));
    }

    private static Map<Long, Message> byId(List<byte[]> messages) throws IOException {
        Map<Long, Message> all = new HashMap<>();
        for (byte[] message : messages) {
            Message one = new Message(message);
            if (one.number(1) == 0 || all.put(one.number(1), one) != null) throw new IOException("no id of its own");
        }
        return all;
    }

    private static List<Long> numbers(byte[] packed) {
        var reader = new Reader(packed);
        List<Long> numbers = new ArrayList<>();
        while (reader.at < packed.length) numbers.add(reader.varint());
        return numbers;
    }

    /** The sum of a value, of {@link #types}, over the stacks with this function. */
    long sum(int value, String function) {
        return samples.stream().filter(sample -> sample.has(function)).mapToLong(sample -> sample.values.get(value)).sum();
    }

    /** How many bytes are in use that this function has allocated. */
    public long inUseBytes(String function) { return sum(3, function); }

    private static final class Reader {
        private final byte[] bytes;
        private int at;

        private Reader(byte[] bytes) { this.bytes = bytes; }

        long varint() {
            long value = 0;
            for (int shift = 0;; shift += 7) {
                byte next = bytes[at++];
                value |= (next & 0x7FL) << shift;
                if (next >= 0) return value;
            }
        }
    }

    private static final class Message {
        private final Map<Long, Long> numbers = new TreeMap<>();
        private final Map<Long, List<byte[]>> parts = new TreeMap<>();

        Message(byte[] bytes) throws IOException {
            var reader = new Reader(bytes);
            while (reader.at < bytes.length) {
                long tag = reader.varint(), value = reader.varint();
                switch ((int) (tag & 7)) {
                    case 0 -> numbers.put(tag >>> 3, value);
                    case 2 -> {
                        byte[] part = new byte[(int) value];
                        System.arraycopy(bytes, reader.at, part, 0, part.length);
                        reader.at += part.length;
                        parts.computeIfAbsent(tag >>> 3, _ -> new ArrayList<>()).add(part);
                    }
                    default -> throw new IOException("wire type " + (tag & 7));
                }
            }
        }

        long number(long field) { return numbers.getOrDefault(field, 0L); }

        List<byte[]> all(long field) { return parts.getOrDefault(field, List.of()); }
    }
}
