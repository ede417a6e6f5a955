package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Meta;
import dev.mimalloc.machine.Os;

/** A file that is written or read through a buffer, without malloc: text, and numbers as protocol buffers have them. */
final class ProfileFile {
    private static final long FILE = 0; // 8: the system's number
    private static final long LENGTH = FILE + 8; // 8: bytes in the buffer
    private static final long AT = LENGTH + 8; // 8: of these, read so far
    private static final long FAILED = AT + 8; // 8: 1 after an error
    private static final long BUFFER = FAILED + 8; // up to the end
    private static final long SIZE = 64 << 10;
    private static final long CAPACITY = SIZE - BUFFER;
    /** No message is longer, so that one lies whole in the buffer when its length becomes known. */
    private static final long MESSAGE_MAX = 16 << 10;
    /** The bytes that a message's length is written with: 7 bits each. */
    private static final int LENGTH_BYTES = 3;

    private ProfileFile() {}

    /** Opens a file to be read, or makes one to be written; 0 if there is no memory, an error that is negative, as Os.open. */
    static long open(long path, boolean writes) {
        long file = Meta.allocate(SIZE);
        if (file == 0) return 0;
        long number = Os.open(path, writes);
        putLong(file + FILE, number);
        if (number >= 0) return file;
        Meta.free(file, SIZE);
        return number;
    }

    /** False if something could not be written. */
    static boolean close(long file, boolean wrote) {
        if (wrote) flush(file);
        Os.close(getLong(file + FILE));
        boolean failed = getLong(file + FAILED) != 0;
        Meta.free(file, SIZE);
        return !failed;
    }

    private static void flush(long file) {
        long at = file + BUFFER, end = at + getLong(file + LENGTH);
        while (at < end && getLong(file + FAILED) == 0) {
            long written = Os.writeTo(getLong(file + FILE), at, end - at);
            if (written > 0) at += written;
            else if (written != Os.INTERRUPTED) putLong(file + FAILED, 1);
        }
        putLong(file + LENGTH, 0);
    }

    /** The next byte of a file that is read; -1 at its end. */
    static int read(long file) {
        if (getLong(file + AT) == getLong(file + LENGTH)) {
            long read;
            do read = Os.read(getLong(file + FILE), file + BUFFER, CAPACITY); while (read == Os.INTERRUPTED);
            if (read <= 0) return -1;
            putLong(file + LENGTH, read);
            putLong(file + AT, 0);
        }
        long at = getLong(file + AT);
        putLong(file + AT, at + 1);
        return getByte(file + BUFFER + at);
    }

    static void letter(long file, int letter) {
        if (getLong(file + LENGTH) == CAPACITY) flush(file);
        putByte(file + BUFFER + getLong(file + LENGTH), letter);
        putLong(file + LENGTH, getLong(file + LENGTH) + 1);
    }

    static void text(long file, long text) {
        for (; getByte(text) != 0; text++) letter(file, getByte(text));
    }

    /** Does text begin so? */
    static boolean begins(long at, long text) {
        for (; getByte(text) != 0; text++, at++) {
            if (getByte(at) != getByte(text)) return false;
        }
        return true;
    }

    private static void varint(long file, long value) {
        for (; (value & ~0x7F) != 0; value >>>= 7) letter(file, (int) value & 0x7F | 0x80);
        letter(file, (int) value);
    }

    /** A field with a number; of a repeated one, one number. */
    static void number(long file, int field, long value) {
        varint(file, field << 3);
        varint(file, value);
    }

    /** Begins a field that is a message or text; what is written next belongs to it. Returns where it begins, for {@link #end}. */
    static long begin(long file, int field) {
        if (getLong(file + LENGTH) > CAPACITY - MESSAGE_MAX) flush(file);
        return beginInner(file, field);
    }

    /** As {@link #begin}, inside of another message. */
    static long beginInner(long file, int field) {
        varint(file, field << 3 | 2);
        for (int i = 0; i < LENGTH_BYTES; i++) letter(file, 0);
        return getLong(file + LENGTH);
    }

    /** Takes back what was written of a message. */
    static void cancel(long file, long begin) { putLong(file + LENGTH, begin - LENGTH_BYTES - 1); }

    /** Ends a message: its length is written with more bytes than it may need, which the format allows. */
    static void end(long file, long begin) {
        long length = getLong(file + LENGTH) - begin;
        for (int i = 0; i < LENGTH_BYTES; i++) {
            int more = i < LENGTH_BYTES - 1 ? 0x80 : 0;
            putByte(file + BUFFER + begin - LENGTH_BYTES + i, (int) (length >>> 7 * i) & 0x7F | more);
        }
    }
}
