package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.unlikely;

import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.Variant;

/** Errors and warnings: how they are reported. The codes are those of errno. */
public final class Errors {
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EFAULT = 14;
    public static final int EINVAL = 22;
    public static final int EOVERFLOW = 75;

    /** How an error is reported. */
    private static final int NUMBER = 1;
    private static final int LAST = 2;

    private Errors() {}

    @Export("void mi_register_error(mi_error_fun* fun, void* arg)")
    public static void register(long function, long argument) { Root.setError(function, argument); }

    @Export("void mi_register_output(mi_output_fun* out, void* arg)")
    public static void registerOutput(long function, long argument) { Root.setOutput(function, argument); }

    /**
     * Reports an error. On the JVM an invalid argument ends in an exception here, so nothing may be half done. In C
     * it is printed if {@code show_errors} says so, and the registered error function is called.
     */
    @Export("void mi__raise(int code, const char* text, uintptr_t value)")
    public static void raise(int code, long text, long value) { raise(code, text, value, 0, 0); }

    /**
     * Reports that the program has misused memory, as {@link #raise}. In C the process ends then, if option
     * {@code abort_on_misuse} says so: by itself where the process is hardened, but a debug build goes on to the next one.
     *
     * @param story more lines; 0 for none
     * @param mismatch of the form of a free, of which nothing comes here
     */
    public static void misuse(int code, long text, long address, long story, boolean mismatch) {
        long abort = Options.bounded(Options.ABORT_ON_MISUSE);
        boolean last = abort == 1 || (abort == 2 || abort == 3 && !mismatch) && Secret.endsProcess();
        raise(code, text, address, last ? LAST : 0, story);
        if (last) Os.abort();
    }

    /**
     * Reports an error, with the value in decimal if it is a {@link #NUMBER}, and otherwise in hexadecimal as an
     * address. The {@link #LAST} one, with which the process ends, is printed in any case.
     */
    private static void raise(int code, long text, long value, int how, long story) {
        Callback.raise(code, text, value, how == NUMBER);
        boolean shown = Options.isEnabled(Options.SHOW_ERRORS) || Options.isEnabled(Options.VERBOSE) || Secret.showsErrors();
        if (how == LAST || shown && withinLimit(Root.countError(), Options.MAX_ERRORS)) {
            print(Text.literal("mimalloc: error: "), text, value, how == NUMBER, story);
        }
        long function = Root.errorAcquire(), argument = Root.errorArgumentAcquire();
        if (function != 0 && function == Root.errorAcquire()) Callback.error(function, code, argument);
    }

    /** No memory for a block of {@code size} bytes; returns 0 for the caller to return. */
    public static long outOfMemory(long size) {
        Os.setErrno(ENOMEM);
        raiseMemory(ENOMEM, Text.literal("unable to allocate memory, bytes"), size);
        return 0;
    }

    /** A request of more bytes than there can be; returns 0 for the caller to return. */
    public static long tooLarge(long size) {
        Os.setErrno(ENOMEM);
        raiseMemory(EOVERFLOW, Text.literal("allocation request is too large, bytes"), size);
        return 0;
    }

    private static void raiseMemory(int code, long text, long size) {
        boolean last = Variant.abortsWithoutMemory() && Root.errorAcquire() == 0;
        raise(code, text, size, last ? LAST : 0, 0);
        if (last) Os.abort();
    }

    /** An alignment that is no power of two, or that cannot be had; returns 0 for the caller to return. */
    public static long badAlignment(long alignment) {
        Os.setErrno(EINVAL);
        raise(EINVAL, Text.literal("alignment is not a power of two that can be had"), alignment, NUMBER, 0);
        return 0;
    }

    public static void warn(long text, long value) {
        if (!Options.isEnabled(Options.SHOW_ERRORS) && !Options.isEnabled(Options.VERBOSE)) return;
        if (withinLimit(Root.countWarning(), Options.MAX_WARNINGS)) {
            print(Text.literal("mimalloc: warning: "), text, value, false, 0);
        }
    }

    /** Prints a line as it is, under no limit. */
    public static void say(long text) {
        long printer = Printer.open(0, 0);
        Printer.text(printer, Text.literal("mimalloc: "));
        Printer.text(printer, text);
        Printer.letter(printer, '\n');
        Printer.close(printer);
    }

    /**
     * Warns of what makes no sense in the environment: values that options cannot have, and options that do not exist.
     */
    public static void warnOfInvalidOptions() {
        for (int option = 0; option < Options.COUNT; option++) {
            long fault = Options.fault(option);
            if (fault != 0) warnOf(fault, Options.name(option));
        }
        warnOfUnknownOptions();
    }

    private static void warnOfUnknownOptions() {
        long name = Meta.allocate(Options.VALUE_MAX);
        if (name == 0) return;
        for (int i = 0; Os.variable(i, name, Options.VALUE_MAX) >= 0; i++) {
            if (Options.find(name) < 0 && !Options.isFile(name)) warnOf(Text.literal("there is no such option: "), name);
        }
        Meta.free(name, Options.VALUE_MAX);
    }

    /** Warns of what the environment asks for and cannot be had: always, as whoever asked would wait for it in vain. */
    public static void warnOf(long text, long name) {
        if (!withinLimit(Root.countWarning(), Options.MAX_WARNINGS)) return;
        long printer = Printer.open(0, 0);
        Printer.text(printer, Text.literal("mimalloc: warning: "));
        Printer.text(printer, text);
        Printer.text(printer, name);
        Printer.letter(printer, '\n');
        Printer.close(printer);
    }

    private static boolean withinLimit(long count, int option) {
        long limit = Options.bounded(option);
        return limit < 0 || count < limit;
    }

    private static void print(long prefix, long text, long value, boolean number, long story) {
        long printer = Printer.open(0, 0);
        Printer.text(printer, prefix);
        Printer.text(printer, text);
        Printer.text(printer, Text.literal(": "));
        if (number) Printer.number(printer, value);
        else Printer.hex(printer, value);
        Printer.letter(printer, '\n');
        if (story != 0) Printer.text(printer, story);
        Printer.close(printer);
    }

    public static boolean verbose() { return unlikely(Options.isEnabled(Options.VERBOSE)); }
}
