package dev.mimalloc;

import dev.mimalloc.base.Settings;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.face.ManageArenas;
import dev.mimalloc.core.face.ProcessLife;
import dev.mimalloc.core.malloc.Spare;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.page.Limits;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.flight.FlightListener;
import dev.mimalloc.machine.Lifecycle;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;
import dev.mimalloc.machine.Unpinned;
import dev.mimalloc.tracking.Tracker;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;

/**
 * Makes the allocator ready, once, before the first call: what ends a thread's theap and purges free memory is told to
 * the machine, and all classes are loaded, as a slow path must not stop half-way to load one.
 */
final class Boot implements Lifecycle {
    /** Those of core; BootTest compares the list, or writes it. */
    static final String CLASSES = """
            base.Bitmap base.Config base.Errors base.Links base.Lock base.Meta base.Options base.OsConfig \
            base.OsMemory base.Printer base.Random base.Root base.Secret base.SizeClass base.Statistics base.Table \
            face.ManageArenas face.ProcessLife malloc.Allocate malloc.AllocateAligned malloc.Free malloc.Reallocate \
            malloc.Spare memory.Arenas memory.Density memory.HugePages memory.Kept memory.Purge model.Arena \
            model.ArenaPages model.CallOut model.Harden model.Heap model.HeapPages model.Holes model.Main \
            model.Misuse model.Padding model.Page model.PageMap model.PageQueue model.Subprocess model.Theap \
            model.ThreadData page.Abandon page.Deferred page.FindPage page.Guarded page.Limits page.Pages page.Punch \
            page.Resize page.Retire page.Sampling page.Scavenge page.Verify profile.Addresses profile.Exponential \
            profile.HeapText profile.Leaks profile.Mappings profile.Pprof profile.ProfileFile profile.Profiler \
            profile.Profiling profile.Samples profile.Snapshot profile.Stacks report.Dump report.Json report.Live \
            report.Report report.Requests report.Version thread.Heaps thread.ProcessInfo thread.Quarantine \
            thread.Startup thread.Subprocesses thread.Theaps thread.Threads thread.Visit""";

    /** Names that only C has: nobody calls them here. */
    static final String NOT_CALLED = "face.CppNames face.StandardNames face.Teardown";

    /** Those of this module that a call may need first when there is little stack or Java heap left. */
    private static final String OWN = "InstalledLimitHandler arena.AutomaticMemory arena.Blocks arena.ConfinedArena"
            + " arena.SharedArena arena.SharedArena$List arena.SharedArena$List$Node base.HeapUsers base.Refusal";

    /** Those of the machine. */
    static final String MACHINE =
            "Bits Callback Callers Check Memory Os Secure Segments Text ThreadSlot Trace Track UpperTable Variant";

    private static final long FIRST = 2 << 20;
    /** Who gives one of these has ideas of his own where memory comes from. */
    private static final int[] WITHOUT_FIRST = {Options.RESERVE_OS_MEMORY, Options.RESERVE_HUGE_OS_PAGES,
            Options.DISALLOW_OS_ALLOC, Options.DISALLOW_ARENA_ALLOC, Options.ARENA_EAGER_COMMIT, Options.ARENA_RESERVE,
            Options.ALLOW_LARGE_OS_PAGES, Options.ALLOW_THP, Options.ARENA_IS_NUMA_LOCAL};

    static {
        for (String name : MACHINE.split(" ", -1)) load("dev.mimalloc.machine." + name);
        for (String name : CLASSES.split(" ", -1)) load("dev.mimalloc.core." + name);
        for (String name : OWN.split(" ", -1)) load("dev.mimalloc." + name);
        ThreadSlot.lifecycle(new Boot());
        ProcessLife.init();
        manageFirstMemory();
        warnOfNonsense();
        if (ModuleLayer.boot().findModule("jdk.jfr").isPresent()) FlightListener.start(KnownHeaps.ALL);
        if (Tracker.REPORTS) Leaks.printAtExit();
        String profile = Settings.textOrVariable("profile");
        if (!profile.isEmpty()) Profile.startForRun(profile);
        if (Options.isEnabled(Options.SHOW_STATS) || Options.isEnabled(Options.VERBOSE)) {
            Unpinned.atExit("mimalloc-statistics", ProcessLife::done);
        }
        if (Settings.choice("jmx", "false", "true", "").equals("true")) registerMBean();
    }

    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(10);

    private long lastUsed = -1; // the housekeeper's
    private long usedSince;

    private Boot() {}

    /** An arena that costs no call of the system: all that a program needs which allocates little. */
    private static void manageFirstMemory() {
        for (int option : WITHOUT_FIRST) if (Options.get(option) != Options.defaultOf(option)) return;
        // The addresses of a large block could not be taken away there.
        if (Secret.has(Secret.QUARANTINE_LARGE)) return;
        long memory = Os.firstMemory(FIRST);
        if (memory != 0) ManageArenas.manageArena(memory, FIRST, Arena.ACCESSIBLE | Arena.ZERO, -1, 0, 0);
    }

    private static void warnOfNonsense() {
        Settings.warnOfEarlyValues();
        for (String name : Settings.others()) if (!Option.isProperty(name)) Settings.warnOfName(name);
    }

    private static void registerMBean() {
        try {
            Management.register();
        } catch (NoClassDefFoundError | IllegalStateException e) {
            System.getLogger("dev.mimalloc").log(Level.WARNING, "no MBean: --add-modules java.management?", e);
        }
    }

    /** Has done it all when it is called: whoever calls it has initialised this class. */
    static void ready() {}

    /** After the housekeeper's last round. */
    static void lastRound() {
        ProcessLife.tick();
        Threads.collect(true);
    }

    private static void load(String name) {
        try {
            Class.forName(name, true, Boot.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new LinkageError(name, e);
        }
    }

    @Override
    public void threadEnded(long theap) {
        Spare.threadEnded(theap);
        Threads.done(theap);
    }
    @Override
    public void tick() {
        ProcessLife.tick();
        Trace.tick();
    }

    /** While free memory waits: but no longer than this after the last page came or went, as the system may refuse it. */
    @Override
    public boolean hasToTick() {
        if (!ProcessLife.hasToTick()) return false;
        long used = Limits.processUsed();
        if (used != lastUsed) usedSince = System.nanoTime();
        lastUsed = used;
        return System.nanoTime() - usedSince < PATIENCE;
    }
}
