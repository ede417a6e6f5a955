package dev.mimalloc.core.report;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.profile.Profiling;
import dev.mimalloc.machine.Callers;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * What a native process writes without a call of its program: profiles and dumps at a signal, and statistics into a
 * shared file. The environment says which, when the process begins. The JVM has calls and its MBean in place of these.
 */
public final class Requests {
    private static final long LOCK = 0; // 8: held while a dump is written
    private static final long COUNT = LOCK + 8; // 8 under lock: dumps so far
    private static final long LIVE = COUNT + 8; // 8 relaxed: the shared file's memory, 0 for none yet
    private static final long DUMP_NAME = LIVE + 8; // NAME_MAX: what names of dumps begin with; empty without MIMALLOC_DUMP
    private static final long LIVE_NAME = DUMP_NAME + Requests.NAME_MAX; // NAME_MAX: the same of the shared file
    public static final long SIZE = LIVE_NAME + Requests.NAME_MAX;

    /** In place of the shared file's memory: it could not be made. */
    private static final long NEVER = -1;
    private static final long NAME_MAX = 1024;
    /** A name, the process' number, a dump's, and an ending. */
    private static final long PATH_MAX = NAME_MAX + 64;

    private Requests() {}

    static long liveRelaxed(long requests) { return getRelaxed(requests + LIVE); }
    static void setLiveRelaxed(long requests, long memory) { putRelaxed(requests + LIVE, memory); }

    /** Starts what the environment asks for. */
    public static void begin() {
        if (Callers.own() == 0 || Os.isPrivileged()) return;
        long requests = Meta.allocate(SIZE);
        if (requests == 0) return;
        boolean dumps = isNamed(requests + DUMP_NAME, Text.literal("MIMALLOC_DUMP"));
        boolean live = isNamed(requests + LIVE_NAME, Text.literal("MIMALLOC_LIVE"));
        if (!dumps && !live) {
            Meta.free(requests, SIZE);
            return;
        }
        Root.setRequestsRelease(requests);
        int signal = (int) Options.bounded(Options.DUMP_SIGNAL);
        if (dumps && Os.watchSignal(signal) != 0) Errors.warnOf(Text.literal("no dump is written at the signal of option "), Options.name(Options.DUMP_SIGNAL));
        // Whoever is there for less than a moment leaves no file: the thread makes it.
        if (live) Options.set(Options.PURGE_THREAD, 1);
    }

    private static boolean isNamed(long name, long variable) {
        long length = Os.environment(variable, name, NAME_MAX);
        if (length >= NAME_MAX) Errors.warnOf(Text.literal("a name is too long: "), variable);
        if (length >= NAME_MAX || length < 0) putByte(name, 0);
        return length > 0 && length < NAME_MAX;
    }

    private static void openLive(long requests) {
        long path = Meta.allocate(PATH_MAX);
        if (path == 0) return;
        name(path, requests + LIVE_NAME, 0, Text.literal(".live"));
        long live = Live.open(path);
        setLiveRelaxed(requests, live == 0 ? NEVER : live);
        if (live == 0) Errors.warnOf(Text.literal("a file could not be made: "), path);
        Meta.free(path, PATH_MAX);
    }

    /** A signal that was asked for has come: writes what it is for, in the signal's handler. */
    @Export("void mi__signal(int number)")
    public static void signal(int number) {
        long profile = Options.get(Options.PROFILE_SIGNAL), dump = Options.get(Options.DUMP_SIGNAL);
        if (number == profile) Profiling.signal();
        long requests = Root.requestsAcquire();
        if (requests == 0 || getByte(requests + DUMP_NAME) == 0 || number == profile && number != dump) return;
        if (!Lock.tryAcquire(requests + LOCK)) return;
        dump(requests);
        Lock.releaseUnawaited(requests + LOCK);
    }

    private static void dump(long requests) {
        long path = Meta.allocate(PATH_MAX);
        if (path == 0) return;
        // A file that is there already stays: it may be that of a program that this one has taken the place of.
        long file;
        do {
            putLong(requests + COUNT, getLong(requests + COUNT) + 1);
            name(path, requests + DUMP_NAME, getLong(requests + COUNT), Text.literal(".json"));
            file = Os.open(path, true);
        } while (file == Os.EXISTS);
        if (!Dump.write(path, file)) Errors.warnOf(Text.literal("a dump could not be written: "), path);
        Meta.free(path, PATH_MAX);
    }

    private static void name(long path, long name, long number, long ending) {
        long printer = Printer.into(path, PATH_MAX);
        Printer.text(printer, name);
        Printer.labelled(printer, Text.literal("."), Os.processId());
        if (number != 0) Printer.labelled(printer, Text.literal("."), number);
        Printer.text(printer, ending);
        Printer.closeBuffer(printer);
    }

    /**
     * Writes the statistics, if somebody wants them, for the thread that purges.
     *
     * @return after how many milliseconds it is time again; -1 for never
     */
    public static long tick() {
        long requests = Root.requestsAcquire();
        if (requests == 0 || getByte(requests + LIVE_NAME) == 0) return -1;
        if (liveRelaxed(requests) == 0) openLive(requests);
        long live = liveRelaxed(requests);
        if (live == NEVER) return -1;
        if (live != 0) Live.update(live);
        return Live.PAUSE;
    }

    /** In the child of a fork: it has its own number, and so its own file; the parent's stays the parent's. */
    public static void forkChild() {
        Profiling.forkChild();
        long requests = Root.requestsAcquire();
        if (requests == 0) return;
        Lock.tryAcquire(requests + LOCK); // if not, its holder was another thread
        Lock.releaseUnawaited(requests + LOCK);
        if (liveRelaxed(requests) == 0 || liveRelaxed(requests) == NEVER) return;
        Live.close(liveRelaxed(requests));
        setLiveRelaxed(requests, 0);
    }

    /** At the end of the process. */
    public static void done() { Profiling.done(); }
}
