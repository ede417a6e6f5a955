package dev.mimalloc.core.report;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.machine.Os;

/**
 * A file that others read while the process runs: the statistics as JSON, in memory that is shared with them. A number
 * in front of the text counts its changes, and is odd during one: who reads it before and after the text knows whether
 * what is between belongs together.
 */
final class Live {
    private static final long MAGIC = 0; // 8 once: says what this is
    private static final long CHANGES = MAGIC + 8; // 8 acquire: twice the number of updates, and one more during one
    private static final long WHOLE = CHANGES + 8; // 8: 1 if the text has found room
    private static final long TEXT = WHOLE + 8; // up to the end

    /** The statistics take 20 KiB, with numbers of the usual length. */
    private static final long SIZE = 64 << 10;
    /** The letters "mi-live1". */
    private static final long NAME = 0x316576696c2d696dL;
    /** The milliseconds from one update to the next: often enough for people, and a thousandth of the time or less. */
    static final long PAUSE = 1000;

    private Live() {}

    /** Makes the file, or takes one of that name that is its user's; returns its memory, or 0. */
    static long open(long path) {
        long memory = Os.share(path, SIZE);
        if (memory <= 0) return 0;
        putRelease(memory + CHANGES, 0);
        putLong(memory + MAGIC, NAME);
        return memory;
    }

    static void close(long memory) { Os.unmap(memory, SIZE); }

    static void update(long memory) {
        long stats = Meta.allocate(Statistics.SIZE);
        if (stats == 0) return;
        Report.subprocess(Main.subprocess(), stats);
        long changes = getAcquire(memory + CHANGES);
        exchange(memory + CHANGES, changes | 1);
        long printer = Printer.into(memory + TEXT, SIZE - TEXT);
        if (printer != 0) Json.write(printer, stats);
        putLong(memory + WHOLE, Printer.closeBuffer(printer) ? 1 : 0);
        putRelease(memory + CHANGES, (changes | 1) + 1);
        Meta.free(stats, Statistics.SIZE);
    }
}
