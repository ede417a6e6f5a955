package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;
import static dev.mimalloc.machine.Text.literal;

import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.machine.Callers;
import dev.mimalloc.machine.Os;

/**
 * The report of leaks: which calls have allocated the blocks that are live at the end of the process. Whether the program
 * still knows a block's address is not looked into.
 */
final class Leaks {
    /** The most stacks that are told of: who mends these asks again. */
    private static final int MOST = 100;
    /** Long names of C++ are cut off. */
    private static final long NAME_MAX = 2048;

    private Leaks() {}

    /** Prints the report, and ends the profile: what its printing allocates is no leak. */
    static void report(long profiler) {
        Profiler.setRate(profiler, 0);
        long printer = Printer.open(0, 0), name = Meta.allocate(NAME_MAX), stacks = Profiler.stacks(profiler);
        long left = 0, blocks = 0, bytes = 0;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) {
            if (live(stack, Stacks.BYTES) <= 0) continue;
            left++;
            blocks += live(stack, Stacks.OBJECTS);
            bytes += live(stack, Stacks.BYTES);
        }
        Printer.labelled(printer, literal("mimalloc: at the end of process "), Os.processId());
        total(printer, literal(" there are live "), bytes, blocks);
        Printer.labelled(printer, literal(", of so many calls: "), left);
        if (Profiler.resumeRate(profiler) > 1) Printer.labelled(printer, literal(", estimated by samples of one byte in "), Profiler.resumeRate(profiler));
        Printer.letter(printer, '\n');
        long stack = 0;
        for (int i = 0; i < MOST && name != 0 && (stack = largestBehind(stacks, stack)) != 0; i++, left--) {
            blocks -= live(stack, Stacks.OBJECTS);
            bytes -= live(stack, Stacks.BYTES);
            print(printer, stack, name);
        }
        if (left > 0) total(printer, literal("  further calls: "), bytes, blocks);
        if (left > 0) Printer.letter(printer, '\n');
        files(printer);
        Meta.free(name, NAME_MAX);
        Printer.close(printer);
    }

    private static long live(long stack, int kind) {
        long freed = Stacks.freed(stack, kind);
        return Stacks.allocated(stack, kind) - freed;
    }

    /** The next smaller one, or one that is as large at a higher address; 0 for none. At first the largest of all. */
    private static long largestBehind(long stacks, long before) {
        long bound = before == 0 ? Long.MAX_VALUE : live(before, Stacks.BYTES), found = 0, most = 0;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) {
            long bytes = live(stack, Stacks.BYTES);
            if (bytes > bound || bytes == bound && stack <= before) continue;
            if (bytes < most || bytes == most && (found == 0 || stack > found)) continue;
            most = bytes;
            found = stack;
        }
        return found;
    }

    private static void total(long printer, long label, long bytes, long objects) {
        Printer.labelled(printer, label, bytes);
        Printer.labelled(printer, literal(" bytes in blocks: "), Stacks.whole(objects));
    }

    private static void print(long printer, long stack, long name) {
        total(printer, literal("  "), live(stack, Stacks.BYTES), live(stack, Stacks.OBJECTS));
        Printer.text(printer, Stacks.depth(stack) == 0 ? literal(", of all other stacks\n") : literal(", from\n"));
        for (long i = 0; i < Stacks.depth(stack); i++) {
            Printer.text(printer, literal("    "));
            Printer.hex(printer, Stacks.frame(stack, i));
            Callers.name(Stacks.frame(stack, i), name, NAME_MAX);
            Printer.text(printer, name);
            Printer.letter(printer, '\n');
        }
    }

    private static void files(long printer) {
        long mappings = Mappings.open();
        if (mappings == 0) return;
        while (Mappings.next(mappings)) {
            long id = Mappings.buildId(mappings);
            if (getByte(id) == 0) continue;
            Printer.text(printer, literal("  "));
            Printer.text(printer, Mappings.path(mappings));
            Printer.text(printer, literal(" has the build id "));
            Printer.text(printer, id);
            Printer.letter(printer, '\n');
        }
        Mappings.close(mappings);
    }
}
