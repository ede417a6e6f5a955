package dev.mimalloc.profile;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** A message in the wire format of Protocol Buffers, as far as a profile needs it. Numbers that are 0 need no field. */
final class ProtoWriter {
    private static final int VARINT = 0, BYTES = 2; // wire types

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void number(int field, long value) {
        if (value == 0) return;
        varint((long) field << 3 | VARINT);
        varint(value);
    }

    void text(int field, String value) { bytes(field, value.getBytes(StandardCharsets.UTF_8)); }

    void message(int field, ProtoWriter value) { bytes(field, value.out.toByteArray()); }

    /** Several numbers in a field, zeros among them. */
    void packed(int field, long... values) {
        ProtoWriter all = new ProtoWriter();
        for (long value : values) all.varint(value);
        message(field, all);
    }

    void writeTo(OutputStream to) throws IOException { out.writeTo(to); }

    private void bytes(int field, byte[] value) {
        varint((long) field << 3 | BYTES);
        varint(value.length);
        out.writeBytes(value);
    }

    /** Seven bits in a byte, the lowest first; all but the last have the highest bit set. */
    private void varint(long value) {
        long rest = value;
        for (; (rest & ~0x7FL) != 0; rest >>>= 7) out.write((int) (rest & 0x7F | 0x80));
        out.write((int) rest);
    }
}
