package dev.mimalloc.tools.profile;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A message of protocol buffers: its fields by their numbers, each as often as it is there. */
final class Message {
    private final Map<Long, List<Long>> numbers = new HashMap<>();
    private final Map<Long, List<byte[]>> parts = new HashMap<>();

    Message(byte[] bytes) throws IOException {
        var in = new Varints(bytes);
        while (in.hasNext()) {
            long tag = in.next(), value = in.next();
            switch ((int) tag & 7) {
                case 0 -> numbers.computeIfAbsent(tag >>> 3, _ -> new ArrayList<>()).add(value);
                case 2 -> parts.computeIfAbsent(tag >>> 3, _ -> new ArrayList<>()).add(in.part(value));
                default -> throw new IOException("not a profile: field of kind " + (tag & 7));
            }
        }
    }

    long number(int field) { return numbers.getOrDefault((long) field, List.of(0L)).getLast(); }

    /** The numbers of a repeated field, which may be packed or one by one. */
    List<Long> numbers(int field) throws IOException {
        var all = new ArrayList<>(numbers.getOrDefault((long) field, List.of()));
        for (byte[] packed : parts.getOrDefault((long) field, List.of())) {
            for (var in = new Varints(packed); in.hasNext();) all.add(in.next());
        }
        return all;
    }

    List<byte[]> parts(int field) { return parts.getOrDefault((long) field, List.of()); }

    List<Message> messages(int field) throws IOException {
        var all = new ArrayList<Message>();
        for (byte[] part : parts(field)) all.add(new Message(part));
        return all;
    }

    /** Numbers of seven bits in each byte, the lowest first. */
    private static final class Varints {
        private final byte[] bytes;
        private int at;

        Varints(byte[] bytes) { this.bytes = bytes; }

        boolean hasNext() { return at < bytes.length; }

        long next() throws IOException {
            long value = 0;
            for (int shift = 0; at < bytes.length && shift < Long.SIZE; shift += 7) {
                byte next = bytes[at++];
                value |= (next & 0x7FL) << shift;
                if (next >= 0) return value;
            }
            throw new IOException("not a profile: a number is cut off");
        }

        byte[] part(long size) throws IOException {
            if (size < 0 || size > bytes.length - at) throw new IOException("not a profile: a part is cut off");
            at += (int) size;
            return Arrays.copyOfRange(bytes, at - (int) size, at);
        }
    }
}
