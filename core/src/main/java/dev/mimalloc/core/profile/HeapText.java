package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Text.literal;

import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Printer;

/**
 * Writes a profile as text in the format {@code heap_v2}, which jeprof, gperftools' pprof and pprof read: samples as they
 * were taken, and the interval, by which the reader scales them; then the system's list of mappings.
 */
final class HeapText {
    /** Longer than the counts and all addresses of a stack. */
    private static final long LINE_MAX = 2048;

    private HeapText() {}

    static void write(long profiler, long file) {
        long line = Meta.allocate(LINE_MAX);
        if (line == 0) return;
        long stacks = Profiler.stacks(profiler);
        long live = 0, liveBytes = 0, all = 0, allBytes = 0;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) {
            live -= Stacks.freed(stack, Stacks.SAMPLES);
            liveBytes -= Stacks.freed(stack, Stacks.SAMPLE_BYTES);
            all += Stacks.allocated(stack, Stacks.SAMPLES);
            allBytes += Stacks.allocated(stack, Stacks.SAMPLE_BYTES);
        }
        ProfileFile.text(file, literal("heap profile: "));
        long printer = Printer.into(line, LINE_MAX);
        counts(printer, live + all, liveBytes + allBytes, all, allBytes);
        Printer.labelled(printer, literal(" heap_v2/"), Profiler.resumeRate(profiler));
        end(printer, line, file);
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) sample(file, line, stack);
        Meta.free(line, LINE_MAX);
        ProfileFile.text(file, literal("\nMAPPED_LIBRARIES:\n"));
        long maps = ProfileFile.open(literal("/proc/self/maps"), false);
        if (maps <= 0) return;
        for (int letter; (letter = ProfileFile.read(maps)) >= 0;) ProfileFile.letter(file, letter);
        ProfileFile.close(maps, false);
    }

    private static void sample(long file, long line, long stack) {
        long freed = Stacks.freed(stack, Stacks.SAMPLES), freedBytes = Stacks.freed(stack, Stacks.SAMPLE_BYTES);
        long all = Stacks.allocated(stack, Stacks.SAMPLES), allBytes = Stacks.allocated(stack, Stacks.SAMPLE_BYTES);
        if (all == 0) return;
        long printer = Printer.into(line, LINE_MAX);
        counts(printer, all - freed, allBytes - freedBytes, all, allBytes);
        for (long i = 0; i < Stacks.depth(stack); i++) {
            Printer.letter(printer, ' ');
            Printer.hex(printer, Stacks.frame(stack, i));
        }
        end(printer, line, file);
    }

    private static void counts(long printer, long live, long liveBytes, long all, long allBytes) {
        Printer.number(printer, live);
        Printer.labelled(printer, literal(": "), liveBytes);
        Printer.labelled(printer, literal(" ["), all);
        Printer.labelled(printer, literal(": "), allBytes);
        Printer.text(printer, literal("] @"));
    }

    /** A line that found no memory for its printer is left out. */
    private static void end(long printer, long line, long file) {
        if (!Printer.closeBuffer(printer)) return;
        ProfileFile.text(file, line);
        ProfileFile.letter(file, '\n');
    }
}
