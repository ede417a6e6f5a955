package dev.mimalloc.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;

/** The bytes of literals. In C a literal is its own bytes; here they are made when it is first asked for. */
public final class Text {
    private static final ConcurrentHashMap<String, Long> LITERALS = new ConcurrentHashMap<>();

    private static final ConcurrentHashMap<Long, String> TEXTS = new ConcurrentHashMap<>(); // by their addresses
    private static final int CHUNK = 2048;

    private static long next; // free bytes; guarded by the class
    private static int left;

    private Text() {}

    /** The address of the text in UTF-8 with a zero at its end, the same one at every call; it is never freed. */
    public static long literal(String text) {
        Long known = LITERALS.get(text);
        return known != null ? known : add(text);
    }

    private static long add(String text) {
        // By words, and back by a table: a loop over single bytes would run often enough for the JIT to set to work.
        byte[] bytes = Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), text.length() * 3 + 8 & -8);
        int size = 0;
        while (bytes[size] != 0) size++;
        long address = take(size + 8 & -8);
        ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        for (int i = 0; i <= size; i += 8) Memory.putLong(address + i, words.getLong(i));
        TEXTS.put(address, text);
        Long other = LITERALS.putIfAbsent(text, address);
        return other != null ? other : address;
    }

    /** Zeroed memory. */
    private static synchronized long take(int size) {
        if (size > left) {
            left = Math.max(size, CHUNK);
            next = Access.allocate(left, 8);
        }
        long taken = next;
        next += size;
        left -= size;
        return taken;
    }

    /** The other way around, for any zero-terminated text. JVM only. */
    public static String string(long text) {
        String known = TEXTS.get(text);
        if (known != null) return known;
        int length = 0;
        while (Memory.getByte(text + length) != 0) length++;
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte) Memory.getByte(text + i);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
