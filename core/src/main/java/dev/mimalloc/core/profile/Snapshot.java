package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/** Files with the built-in profiler's counts. They are written without malloc, also in the middle of one or in a signal's handler. */
final class Snapshot {
    private static final long PATH_MAX = Profiler.NAME_MAX + 64;

    private Snapshot() {}

    /** Writes a file, unless one is just being written; false if there is none then. */
    static boolean write(long profiler) {
        if (Profiler.stacks(profiler) == 0 || getByte(Profiler.name(profiler)) == 0 || !Lock.tryAcquire(Profiler.snapshotLock(profiler))) return false;
        long path = Meta.allocate(2 * PATH_MAX);
        boolean done = path != 0 && writeTo(profiler, path, path + PATH_MAX);
        Meta.free(path, 2 * PATH_MAX);
        Lock.releaseUnawaited(Profiler.snapshotLock(profiler));
        return done;
    }

    /** In the child of a fork. */
    static void forget(long profiler) {
        Profiler.forgetCounting(profiler);
        Lock.tryAcquire(Profiler.snapshotLock(profiler)); // if not, its holder was another thread
        Lock.releaseUnawaited(Profiler.snapshotLock(profiler));
    }

    /**
     * A file has its name only when it is whole, and {@code .part} behind that until then. One that is there already stays: it
     * may be that of a program that this one has taken the place of.
     */
    private static boolean writeTo(long profiler, long path, long part) {
        long file = Os.EXISTS;
        while (file == Os.EXISTS) {
            name(profiler, path);
            long printer = Printer.into(part, PATH_MAX);
            Printer.text(printer, path);
            Printer.text(printer, Text.literal(".part"));
            Printer.closeBuffer(printer);
            file = ProfileFile.open(part, true);
        }
        if (file > 0) {
            if (Profiler.isText(profiler)) HeapText.write(profiler, file);
            else Pprof.write(profiler, file);
            long moved = ProfileFile.close(file, true) ? Os.rename(part, path) : Os.UNSUPPORTED;
            while (moved == Os.EXISTS) {
                name(profiler, path);
                moved = Os.rename(part, path);
            }
            if (moved == 0) return true;
            Os.remove(part);
        }
        Errors.warnOf(Text.literal("a profile could not be written: "), path);
        return false;
    }

    /** The next file's name. */
    private static void name(long profiler, long path) {
        long printer = Printer.into(path, PATH_MAX);
        Printer.text(printer, Profiler.name(profiler));
        if (Profiler.hasProcess(profiler)) Printer.labelled(printer, Text.literal("."), Os.processId());
        Printer.labelled(printer, Text.literal("."), Profiler.countSnapshot(profiler));
        Printer.text(printer, Profiler.isText(profiler) ? Text.literal(".heap") : Text.literal(".pb"));
        Printer.closeBuffer(printer);
    }

    /** After a sample of {@code bytes} was counted: writes a file if it is time. */
    static void writeIfDue(long profiler, long bytes) {
        long before = Profiler.addAllocated(profiler, bytes);
        long interval = Profiler.allocInterval(profiler);
        boolean due = interval > 0 && before / interval != (before + bytes) / interval;
        long used = Profiler.inUse(profiler), mark = Profiler.inUseMark(profiler);
        interval = Profiler.inUseInterval(profiler);
        if (interval > 0 && used >= mark) due |= Profiler.casInUseMark(profiler, mark, used + interval);
        interval = Profiler.timeInterval(profiler);
        if (interval > 0) {
            long now = Os.clock(), time = Profiler.due(profiler);
            if (now >= time) due |= Profiler.casDue(profiler, time, now + interval);
        }
        if (due) write(profiler);
    }
}
