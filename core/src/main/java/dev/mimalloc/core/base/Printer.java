package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * Puts text together in a buffer and hands it out line by line: to a function, or to stderr. Never calls malloc. A
 * printer that could not be made (0) swallows what it is given.
 */
public final class Printer {
    private static final long FUNCTION = 0; // 8: where the text goes; 0 for the registered function, or else stderr
    private static final long ARGUMENT = FUNCTION + 8; // 8
    private static final long LENGTH = ARGUMENT + 8; // 8: bytes in the buffer, or INTO
    private static final long BUFFER = LENGTH + 8; // up to the end

    private static final long SIZE = 1024;
    private static final long CAPACITY = SIZE - BUFFER - 1;
    private static final int DECIMAL_MAX = 20;
    /**
     * In place of the length: the text goes into a buffer, whose next byte and end stand in place of function and
     * argument.
     */
    private static final long INTO = -1;

    private Printer() {}

    public static long open(long function, long argument) {
        long printer = Meta.allocate(SIZE);
        if (printer == 0) return 0;
        putLong(printer + FUNCTION, function);
        putLong(printer + ARGUMENT, argument);
        return printer;
    }

    /** A printer that fills a buffer of {@code size} bytes with zero-terminated text. */
    public static long into(long buffer, long size) {
        long printer = Meta.allocate(SIZE);
        if (printer == 0) return 0;
        putLong(printer + FUNCTION, buffer);
        putLong(printer + ARGUMENT, buffer + size);
        putLong(printer + LENGTH, INTO);
        putByte(buffer, 0);
        return printer;
    }

    /** Ends a printer that fills a buffer; false if the text did not fit. */
    public static boolean closeBuffer(long printer) {
        if (printer == 0) return false;
        boolean fitted = getLong(printer + FUNCTION) < getLong(printer + ARGUMENT);
        Meta.free(printer, SIZE);
        return fitted;
    }

    private static void append(long printer, int letter) {
        long at = getLong(printer + FUNCTION);
        long end = getLong(printer + ARGUMENT);
        if (at >= end) return;
        putLong(printer + FUNCTION, at + 1);
        if (at + 1 == end) return;
        putByte(at, letter);
        putByte(at + 1, 0);
    }

    /** Hands out what is left and ends the printer. */
    public static void close(long printer) {
        flush(printer);
        Meta.free(printer, SIZE);
    }

    private static long length(long printer) { return getLong(printer + LENGTH); }

    static void flush(long printer) {
        if (printer == 0 || length(printer) == 0) return;
        long text = printer + BUFFER;
        long length = length(printer);
        putByte(text + length, 0);
        putLong(printer + LENGTH, 0);
        long function = getLong(printer + FUNCTION), argument = getLong(printer + ARGUMENT);
        boolean own = function != 0;
        if (!own) function = Root.outputAcquire();
        if (!own) argument = Root.outputArgumentAcquire();
        if (function != 0 && (own || function == Root.outputAcquire())) Callback.output(function, text, argument);
        else write(text, length);
    }

    /** Writes text to stderr, as far as stderr takes it. */
    private static void write(long text, long length) {
        while (length > 0) {
            long written = Os.write(text, length);
            if (written == Os.INTERRUPTED) continue;
            if (written <= 0) return;
            text += written;
            length -= written;
        }
    }

    public static void letter(long printer, int letter) {
        if (printer == 0) return;
        if (length(printer) == INTO) {
            append(printer, letter);
            return;
        }
        if (length(printer) == CAPACITY) flush(printer);
        putByte(printer + BUFFER + length(printer), letter);
        putLong(printer + LENGTH, length(printer) + 1);
        if (letter == '\n') flush(printer);
    }

    public static void text(long printer, long text) {
        for (; getByte(text) != 0; text++) letter(printer, getByte(text));
    }

    /** Text filled up with blanks to {@code width}: on the left if it is negative. */
    public static void padded(long printer, long text, int width) {
        int length = 0;
        while (getByte(text + length) != 0) length++;
        for (int i = length; i < -width; i++) letter(printer, ' ');
        text(printer, text);
        for (int i = length; i < width; i++) letter(printer, ' ');
    }

    /** A decimal number, filled up with blanks on the left. */
    public static void number(long printer, long value, int width) {
        boolean negative = value < 0;
        long left = negative ? -value : value;
        long power = 1;
        int digits = 1;
        while (digits < DECIMAL_MAX - 1 && left / power >= 10) {
            power *= 10;
            digits++;
        }
        for (int i = digits + (negative ? 1 : 0); i < width; i++) letter(printer, ' ');
        if (negative) letter(printer, '-');
        for (; power > 0; power /= 10) letter(printer, '0' + (int) (left / power % 10));
    }

    public static void number(long printer, long value) { number(printer, value, 0); }

    public static void labelled(long printer, long label, long value) {
        text(printer, label);
        number(printer, value);
    }

    public static void hex(long printer, long value) {
        text(printer, Text.literal("0x"));
        int shift = 60;
        while (shift > 0 && value >>> shift == 0) shift -= 4;
        for (; shift >= 0; shift -= 4) {
            int digit = (int) (value >>> shift) & 15;
            letter(printer, digit < 10 ? '0' + digit : 'a' + digit - 10);
        }
    }

    /** Bytes with a unit and one digit behind the point, ten characters wide. */
    public static void bytes(long printer, long bytes) {
        long size = bytes < 0 ? -bytes : bytes;
        int shift = size >= 1L << 30 ? 30 : size >= 1L << 20 ? 20 : size >= 1L << 10 ? 10 : 0;
        if (shift == 0) {
            number(printer, bytes, 6);
            text(printer, Text.literal(" B  "));
            return;
        }
        long tenths = (size >>> shift) * 10 + ((size & (1L << shift) - 1) * 10 >>> shift);
        number(printer, bytes < 0 ? -(tenths / 10) : tenths / 10, 4);
        letter(printer, '.');
        number(printer, tenths % 10);
        text(printer, shift == 30 ? Text.literal(" GiB") : shift == 20 ? Text.literal(" MiB") : Text.literal(" KiB"));
    }
}
