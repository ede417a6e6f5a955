package dev.mimalloc;

import dev.mimalloc.core.Options;
import dev.mimalloc.core.ProcessLife;
import dev.mimalloc.core.Threads;
import dev.mimalloc.machine.Lifecycle;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Trace;
import dev.mimalloc.machine.Unpinned;
import java.lang.System.Logger.Level;

/**
 * Makes the allocator ready, once, before the first call: what ends a thread's theap and purges free memory is told to
 * the machine, and all classes are loaded, as a slow path must not stop half-way to load one.
 */
final class Boot implements Lifecycle {
    static final String CLASSES = "Abandon Allocate AllocateAligned Arena ArenaPages Arenas Bitmap CallOut Config CppNames Deferred"
            + " Density Errors FindPage Free Heap Heaps HugePages Json Limits Lock ManageArenas Meta Options Page"
            + " PageMap PageQueue Pages Printer ProcessInfo ProcessLife Purge Reallocate Report Resize Retire"
            + " Root Sampling Scavenge SizeClass Spare StandardNames Startup Statistics Subprocess Subprocesses"
            + " Table Teardown Theap Theaps ThreadData Threads Visit";

    /** Those of this package that a call may need first when there is little stack or Java heap left. */
    private static final String OWN = "AutomaticMemory Blocks ConfinedArena InstalledLimitHandler Refusal SharedArena"
            + " SharedArena$List SharedArena$List$Node";

    /** Those of the machine. */
    static final String MACHINE = "Bits Callback Memory Os Segments Text ThreadSlot Trace UpperTable";

    static {
        for (String name : MACHINE.split(" ", -1)) load("dev.mimalloc.machine." + name);
        for (String name : CLASSES.split(" ", -1)) load("dev.mimalloc.core." + name);
        for (String name : OWN.split(" ", -1)) load("dev.mimalloc." + name);
        ThreadSlot.lifecycle(new Boot());
        ProcessLife.init();
        Settings.warnOfUnknown();
        if (ModuleLayer.boot().findModule("jdk.jfr").isPresent()) FlightListener.start();
        if (Tracker.REPORTS) Leaks.printAtExit();
        if (Options.isEnabled(Options.SHOW_STATS) || Options.isEnabled(Options.VERBOSE)) {
            Unpinned.atExit("mimalloc-statistics", ProcessLife::done);
        }
        if (Settings.choice("jmx", "false", "true", "").equals("true")) registerMBean();
    }

    private Boot() {}

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
    public void threadEnded(long theap) { Threads.done(theap); }
    @Override
    public void tick() {
        ProcessLife.tick();
        Trace.tick();
    }
}
