package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Callers;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * The profilers' lives: attached to heaps, started, stopped, and made. A user's struct, {@code mi_profiler_t}, has a word
 * for the allocator, the bytes of data for each sample, the rate to begin with, and four functions: for an allocation, a
 * free, a growth in place, and a snapshot.
 *
 * <p>All of it is under root's lock, and below it the lives lock of a subprocess whose heaps change.
 */
public final class Profiling {
    private static final int DATA_SIZE = 1;
    private static final int RATE = 2;
    private static final int ON_ALLOC = 3;
    private static final int ON_FREE = 4;
    private static final int ON_SNAPSHOT = 6;
    /** The rate of a profiler that names none: at half a MiB nobody feels it, and a GiB in use has 2,000 samples. */
    private static final long RATE_DEFAULT = 512 << 10;

    private Profiling() {}

    private static long field(long user, int field) { return getPointer(user + field * pointerSize()); }

    /** The profiler that a user's struct stands for; under root's lock. 0 if there is none yet, or no struct. */
    private static long known(long user) {
        long profiler = Profiler.first();
        while (profiler != 0 && (user == 0 || Profiler.user(profiler) != user)) profiler = Profiler.next(profiler);
        return profiler;
    }

    private static long take(long user) {
        long profiler = known(user);
        if (profiler != 0 && isBuiltIn(profiler)) return profiler;
        if (hasTooMuchData(user)) return 0;
        if (profiler != 0 && isAttached(profiler)) return profiler;
        // Its heaps have ended meanwhile, and the struct may be another one at the same address.
        if (profiler != 0) Profiler.giveBack(profiler);
        profiler = Profiler.take(user);
        if (profiler == 0) return 0;
        Profiler.setFunctions(profiler, field(user, ON_ALLOC), field(user, ON_FREE), field(user, DATA_SIZE));
        Profiler.setResumeRate(profiler, field(user, RATE) == 0 ? 1 : field(user, RATE));
        return profiler;
    }

    private static boolean hasTooMuchData(long user) { return field(user, DATA_SIZE) < 0 || field(user, DATA_SIZE) > Samples.DATA_MAX; }

    /** Attaches a profiler to the heaps of the main subprocess, now and later; 0 detaches. False if there is no memory. */
    @Export("bool mi_profile(mi_profiler_t* profiler)")
    public static boolean profile(long user) { return profileSubprocess(Main.subprocess(), user); }

    @Export("bool mi_subproc_profile(mi_subproc_id_t subproc_id, mi_profiler_t* profiler)")
    public static boolean profileSubprocess(long subprocess, long user) {
        return subprocess != 0 && attach(subprocess, 0, user);
    }

    /** Attaches a profiler to one heap; 0 detaches. */
    @Export("bool mi_heap_profile(mi_heap_t* heap, mi_profiler_t* profiler)")
    public static boolean profileHeap(long heap, long user) {
        return heap != 0 && attach(0, heap, user);
    }

    /** To one heap, or to all of a subprocess. */
    private static boolean attach(long subprocess, long heap, long user) {
        Lock.acquire(Root.lock());
        long profiler = user == 0 ? 0 : take(user);
        boolean done = profiler != 0 || user == 0;
        if (done && heap != 0) set(heap, profiler);
        if (done && heap == 0) setAll(subprocess, profiler);
        if (done) giveUnusedBack();
        Lock.release(Root.lock());
        return done;
    }

    /** No profiler for this heap, also when one is attached to its subprocess. */
    @Export("void mi_heap_profile_disable(mi_heap_t* heap)")
    public static void disable(long heap) {
        if (heap == 0) return;
        Lock.acquire(Root.lock());
        set(heap, Heap.NEVER_PROFILED);
        giveUnusedBack();
        Lock.release(Root.lock());
    }

    private static void set(long heap, long profiler) {
        long lock = Subprocess.livesLock(Heap.subprocess(heap));
        Lock.acquire(lock);
        give(heap, profiler);
        Lock.release(lock);
    }

    private static void setAll(long subprocess, long profiler) {
        Lock.acquire(Subprocess.livesLock(subprocess));
        Subprocess.setProfiler(subprocess, profiler);
        for (long heap = Subprocess.heaps(subprocess); heap != 0; heap = Heap.next(heap)) {
            if (!Heap.isNeverProfiled(heap)) give(heap, profiler);
        }
        Lock.release(Subprocess.livesLock(subprocess));
    }

    /** Under the lives lock. The threads' parts of the heap look for themselves which profiler it is. */
    private static void give(long heap, long profiler) {
        Heap.setProfilerRelease(heap, profiler);
        for (long theap = Heap.theaps(heap); theap != 0; theap = Theap.nextInHeap(theap)) Theap.setProfiled(theap, Heap.profilerAcquire(heap) != 0);
    }

    private static boolean isBuiltIn(long profiler) { return Profiler.user(profiler) == Profiler.struct(profiler); }

    /** A user's profiler serves as long as a heap has it; the built-in one until it is deleted. */
    private static void giveUnusedBack() {
        for (long profiler = Profiler.first(); profiler != 0; profiler = Profiler.next(profiler)) {
            if (Profiler.user(profiler) != 0 && !isBuiltIn(profiler) && !isAttached(profiler)) Profiler.giveBack(profiler);
        }
    }

    /** Does any heap have the profiler, or will those to come? */
    private static boolean isAttached(long profiler) {
        boolean found = false;
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
            Lock.acquire(Subprocess.livesLock(s));
            found |= Subprocess.profiler(s) == profiler;
            for (long heap = Subprocess.heaps(s); heap != 0; heap = Heap.next(heap)) found |= Heap.profilerAcquire(heap) == profiler;
            Lock.release(Subprocess.livesLock(s));
        }
        return found;
    }

    private static void detach(long profiler) {
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
            Lock.acquire(Subprocess.livesLock(s));
            if (Subprocess.profiler(s) == profiler) Subprocess.setProfiler(s, 0);
            for (long heap = Subprocess.heaps(s); heap != 0; heap = Heap.next(heap)) {
                if (Heap.profilerAcquire(heap) == profiler) give(heap, 0);
            }
            Lock.release(Subprocess.livesLock(s));
        }
    }

    /** Takes root's lock and returns the profiler, or 0. */
    private static long lockKnown(long user) {
        Lock.acquire(Root.lock());
        return known(user);
    }

    /** Begins to take samples. False if it did already, or the profiler is attached to nothing. */
    @Export("bool mi_profiler_start(mi_profiler_t* profiler)")
    public static boolean start(long user) {
        long profiler = lockKnown(user);
        boolean starts = profiler != 0 && Profiler.rate(profiler) == 0 && isAttached(profiler);
        if (starts && Profiler.started(profiler) == 0) Profiler.setStarted(profiler, Os.time());
        if (starts) Profiler.setRate(profiler, Profiler.resumeRate(profiler));
        Lock.release(Root.lock());
        return starts;
    }

    /** Takes no more samples; what was sampled stays known. False if none were taken. */
    @Export("bool mi_profiler_stop(mi_profiler_t* profiler)")
    public static boolean stop(long user) {
        long profiler = lockKnown(user);
        boolean stops = Profiler.rate(profiler) != 0;
        if (stops) Profiler.setRate(profiler, 0);
        Lock.release(Root.lock());
        return stops;
    }

    /** Writes the profile now; a user's own profiler does so in its function for it. */
    @Export("void mi_profiler_snapshot(mi_profiler_t* profiler)")
    public static void snapshot(long user) {
        long profiler = lockKnown(user);
        Lock.release(Root.lock());
        if (profiler != 0 && Profiler.stacks(profiler) != 0) Snapshot.write(profiler);
        else if (user != 0 && field(user, ON_SNAPSHOT) != 0) Callback.snapshot(field(user, ON_SNAPSHOT), user);
    }

    /**
     * The built-in profiler, to be attached and started: it writes files {@code name.1.pb} and so on.
     *
     * @param rate one byte in so many is a sample; 0 for {@link #RATE_DEFAULT}
     * @param name where the files are written and what their names begin with; if it ends with {@code .heap} they are text
     *     in the format {@code heap_v2}
     * @param alloc a file each time so many bytes were allocated; 0 for none
     * @param inUse a file each time so many bytes more are in use than at the last one
     * @param seconds a file each time so many seconds have gone by, as soon as there is a sample
     * @return 0 if the name is too long or there is no memory
     */
    @Export("mi_profiler_t* mi_pprof_profiler_new(size_t initial_threshold, const char* base_file_name, size_t alloc_interval_size, size_t inuse_interval_size, size_t time_interval_secs)")
    public static long create(long rate, long name, long alloc, long inUse, long seconds) {
        return name == 0 || getByte(name) == 0 ? 0 : create(rate, name, alloc, inUse, seconds, false);
    }

    static long create(long rate, long name, long alloc, long inUse, long seconds, boolean process) {
        long length = 0;
        while (length < Profiler.NAME_MAX && getByte(name + length) != 0) length++;
        if (length == Profiler.NAME_MAX) return 0;
        Lock.acquire(Root.lock());
        long profiler = Profiler.take(0);
        if (profiler != 0 && Profiler.stacks(profiler) == 0) Profiler.setStacks(profiler, Stacks.create());
        boolean made = profiler != 0 && Profiler.stacks(profiler) != 0;
        if (profiler != 0 && !made) Profiler.giveBack(profiler);
        if (made) {
            Profiler.setFunctions(profiler, 0, 0, 0);
            Profiler.setResumeRate(profiler, rate != 0 ? rate : RATE_DEFAULT);
            boolean text = length > 5 && ProfileFile.begins(name + length - 5, Text.literal(".heap"));
            if (text) length -= 5;
            copy(name, Profiler.name(profiler), length);
            putByte(Profiler.name(profiler) + length, 0);
            Profiler.setNaming(profiler, process, text);
            Profiler.setIntervals(profiler, Config.max(0, alloc), Config.max(0, inUse), Config.min(Config.max(0, seconds), 1L << 40) * 1000);
            Profiler.setStarted(profiler, 0);
            findOwn(profiler);
        }
        Lock.release(Root.lock());
        return made ? Profiler.struct(profiler) : 0;
    }

    /**
     * Starts a profile of the whole process, if the variable {@code MIMALLOC_PROFILE} has a name for its files, or option
     * {@code leaks} is given.
     *
     * @return whether each allocation is to be a sample. The caller gives up the pages that its thread has: their blocks
     *         would be given out unseen
     */
    public static boolean startAsTold() {
        long name = Callers.own() == 0 || Os.isPrivileged() ? 0 : Meta.allocate(Profiler.NAME_MAX);
        if (name == 0) return false;
        long length = Config.max(0, Os.environment(Text.literal("MIMALLOC_PROFILE"), name, Profiler.NAME_MAX));
        long rate = Options.bounded(Options.LEAKS);
        boolean wanted = length > 0 || rate != 0;
        if (length == 0) putByte(name, 0);
        if (rate == 0) rate = Options.bounded(Options.PROFILE_SAMPLE_RATE);
        long profiler = wanted && length < Profiler.NAME_MAX ? createAsTold(rate, name) : 0;
        Meta.free(name, Profiler.NAME_MAX);
        boolean starts = profiler != 0 && profile(profiler) && start(profiler);
        if (wanted && !starts) Errors.warnOf(Text.literal("no profile, as there is no memory, or its name is too long: "), Text.literal("MIMALLOC_PROFILE"));
        if (starts) watch();
        // Nor comes such a page back to a thread that frees one of its blocks.
        if (starts && rate == 1) Options.set(Options.PAGE_RECLAIM_ON_FREE, -1);
        return starts && rate == 1;
    }

    private static void watch() {
        int signal = (int) Options.bounded(Options.PROFILE_SIGNAL);
        if (signal != 0 && Os.watchSignal(signal) != 0) Errors.warnOf(Text.literal("no profile is written at the signal of option "), Options.name(Options.PROFILE_SIGNAL));
    }

    private static long createAsTold(long rate, long name) {
        long alloc = Options.bounded(Options.PROFILE_ALLOC_INTERVAL), inUse = Options.bounded(Options.PROFILE_INUSE_INTERVAL);
        long seconds = Options.bounded(Options.PROFILE_TIME_INTERVAL);
        return create(rate, name, alloc, inUse, seconds, true);
    }

    /** At the end of the process: writes the profile of {@link #startAsTold}, and tells of leaks if it is asked to. */
    public static void done() {
        for (long profiler = Profiler.first(); profiler != 0; profiler = Profiler.next(profiler)) {
            if (Profiler.user(profiler) == 0 || !Profiler.hasProcess(profiler)) continue;
            Snapshot.write(profiler);
            if (Options.bounded(Options.LEAKS) != 0) Leaks.report(profiler);
        }
    }

    /** In the child of a fork: the thread that just wrote a profile is not there any more. */
    public static void forkChild() {
        for (long profiler = Profiler.first(); profiler != 0; profiler = Profiler.next(profiler)) Snapshot.forget(profiler);
    }

    /** Writes the profiles of all built-in profilers, in a signal's handler. */
    public static void signal() {
        for (long profiler = Profiler.first(); profiler != 0; profiler = Profiler.next(profiler)) {
            if (Profiler.user(profiler) != 0) Snapshot.write(profiler);
        }
    }

    /** Where the allocator's own code is, if it is a library of its own. That stays there, also for a profiler that serves again. */
    private static void findOwn(long profiler) {
        long mappings = Profiler.ownLimit(profiler) != 0 ? 0 : Mappings.open();
        if (mappings == 0) return;
        while (Mappings.next(mappings)) {
            boolean own = Callers.own() >= Mappings.start(mappings) && Callers.own() < Mappings.limit(mappings);
            if (own && (Mappings.isNamed(mappings, Text.literal("libmimalloc")) || Mappings.isNamed(mappings, Text.literal("mimalloc.dll")))) {
                Profiler.setOwn(profiler, Mappings.start(mappings), Mappings.limit(mappings));
            }
        }
        Mappings.close(mappings);
    }

    /** Ends a profiler of {@link #create}: it is detached, and its samples are forgotten. */
    @Export("void mi_pprof_profiler_delete(mi_profiler_t* profiler)")
    public static void delete(long user) {
        long profiler = lockKnown(user);
        if (profiler != 0 && isBuiltIn(profiler)) {
            detach(profiler);
            Profiler.giveBack(profiler);
        }
        Lock.release(Root.lock());
    }
}
