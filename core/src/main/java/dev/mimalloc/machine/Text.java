package dev.mimalloc.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;

/** The bytes of literals. In C a literal is its own bytes; here they are made when it is first asked for. */
public final class Text {
    private static final ConcurrentHashMap<String, Long> LITERALS = new ConcurrentHashMap<>();

    private Text() {}

    /** The address of the text in UTF-8 with a zero at its end, the same one at every call; it is never freed. */
    public static long literal(String text) {
        return LITERALS.computeIfAbsent(text, t -> Arena.global().allocateFrom(t).address());
    }

    /** The other way around, for any zero-terminated text. JVM only. */
    public static String string(long text) {
        return MemorySegment.ofAddress(text).reinterpret(Long.MAX_VALUE).getString(0);
    }
}
