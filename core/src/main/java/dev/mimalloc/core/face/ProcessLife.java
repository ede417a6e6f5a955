package dev.mimalloc.core.face;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.OsConfig;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.memory.Purge;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Scavenge;
import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.profile.Profiling;
import dev.mimalloc.core.report.Requests;
import dev.mimalloc.core.page.Verify;
import dev.mimalloc.core.thread.ProcessInfo;
import dev.mimalloc.core.thread.Startup;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;

/**
 * What the allocator does for the process as a whole: when it begins, when it ends, before and after a fork, and now
 * and then. In C the loader, libc and the purge thread call it, on the JVM the API's start and the housekeeper. Threads
 * may allocate before {@link #init} and after {@link #done}.
 */
public final class ProcessLife {
    /** How long the OS may take for a huge page at the start. */
    private static final long HUGE_PAGE_MS = 500;

    /** Milliseconds from one look whether memory is scarce to the next: a few reads of small files each. */
    private static final long PRESSURE_LOOK = 250;
    /** Milliseconds from one purge for want of memory to the next, as from one look for holes to the next: want may last. */
    private static final long RELIEF_PAUSE = 4000;

    private ProcessLife() {}

    @Export("int mi_version(void)")
    public static int version() { return Config.VERSION; }

    /** Whether calls of malloc were redirected when the library was loaded, which only happens on Windows. */
    @Export("bool mi_is_redirected(void)")
    public static boolean isRedirected() { return Os.isRedirected(); }

    /** Called as soon as the process can be read about; malloc may have been called long before. */
    @Export("void mi_process_init(void)")
    public static void init() {
        if (!Startup.ready()) return;
        OsConfig.overcommits(); // remembered: in a sandbox the next arena could not ask any more
        harden();
        Threads.init();
        Errors.warnOfInvalidOptions();
        if (Errors.verbose()) Report.printOptions(0, 0);
        reserveHugePages();
        if (Profiling.startAsTold()) Threads.abandon(ThreadSlot.theap());
        Requests.begin();
    }

    /** Hardens from here on what could not be before: a malloc may have come when there was no environment yet. */
    private static void harden() {
        if (Secret.isOnDemand()) return;
        Secret.init();
        if (Secret.isOnDemand() && ThreadSlot.theap() != 0) Theap.clearDirect(ThreadSlot.theap());
    }

    private static void reserveHugePages() {
        long pages = Options.bounded(Options.RESERVE_HUGE_OS_PAGES);
        if (pages <= 0) return;
        long node = Options.bounded(Options.RESERVE_HUGE_OS_PAGES_AT);
        if (node >= 0) ManageArenas.reserveHugeAt(pages, (int) node, pages * HUGE_PAGE_MS);
        else ManageArenas.reserveHugeInterleaved(pages, 0, pages * HUGE_PAGE_MS);
    }

    /** At exit: prints statistics if they are asked for. Blocks may still be allocated and freed afterwards. */
    @Export("void mi_process_done(void)")
    public static void done() {
        if (Check.isFull() && ThreadSlot.theap() != 0) Verify.thread(Theap.data(ThreadSlot.theap()));
        Requests.done();
        if (Options.isEnabled(Options.SHOW_STATS) || Options.isEnabled(Options.VERBOSE)) {
            Threads.collect(false);
            Report.printStatistics(0, 0);
        }
    }

    /** Before a fork: nobody may be in the middle of what a lock guards, since the child has only this thread. */
    @Export("void mi__fork_prepare(void)")
    public static void forkPrepare() {
        Startup.ready();
        Lock.acquire(Root.lock());
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
            Lock.acquire(Subprocess.livesLock(s));
            Lock.acquire(Subprocess.arenaLock(s));
            Lock.acquire(Subprocess.osLock(s));
            Purge.suspend(s);
        }
    }

    @Export("void mi__fork_parent(void)")
    public static void forkParent() {
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
            Purge.resume(s);
            Lock.release(Subprocess.osLock(s));
            Lock.release(Subprocess.arenaLock(s));
            Lock.release(Subprocess.livesLock(s));
        }
        Lock.release(Root.lock());
    }

    @Export("void mi__fork_child(void)")
    public static void forkChild() {
        Root.setForked();
        Requests.forkChild();
        for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) Subprocess.endCollection(s);
        forkParent();
    }

    /** On the JVM, every now and then: what is due even if nobody allocates. Returns when to look for holes next. */
    public static long tick() {
        if (!Startup.ready()) return 0;
        Threads.collectShared();
        Scavenge.tick(Main.subprocess());
        Purge.tick(Main.subprocess());
        return Scavenge.punchTick(Main.subprocess());
    }

    /** Does free memory wait to be given back by {@link #tick}? */
    public static boolean hasToTick() { return Subprocess.purgeExpire(Main.subprocess()) != 0; }

    /**
     * What the thread of option {@code purge_thread} does: what is due, and when nothing waits any more a look for
     * pages that others have emptied, since then it may sleep for long. C only.
     *
     * @return for how many milliseconds it may sleep, unless it is woken; -1 for any time, when nobody has done anything
     *         since two looks for holes. At least 1, as what is due may have to wait for somebody who forks or purges
     */
    @Export("int64_t mi__purge_round(void)")
    public static long purgeRound() {
        long due = tick();
        long subprocess = Main.subprocess();
        long look = relieve(subprocess);
        if (Subprocess.purgeExpire(subprocess) == 0) Scavenge.all(subprocess);
        long expire = Subprocess.purgeExpire(subprocess);
        long now = Os.clock();
        long pause = sooner(Os.isStirred(due) ? Config.max(1, due - now) : -1, expire == 0 ? -1 : Config.max(1, expire - now));
        return sooner(pause, sooner(look, Requests.tick()));
    }

    /** The shorter of two times, of which those below 0 never come. */
    private static long sooner(long a, long b) { return a < 0 || b >= 0 && b < a ? b : a; }

    /**
     * Gives back all that is free when memory is scarce, if option {@code purge_on_pressure} is on.
     *
     * @return after how many milliseconds it is time to look again; -1 for never
     */
    private static long relieve(long subprocess) {
        long due = Root.reliefDueRelaxed();
        long now = Os.clock();
        long scarce = due < 0 ? -1 : Os.memoryPressure(now);
        if (scarce == Os.UNSUPPORTED) {
            Root.setReliefDueRelaxed(-1);
            if (Errors.verbose()) Errors.say(Text.literal("option purge_on_pressure has no effect: no file tells of pressure"));
        }
        if (scarce < 0) return -1;
        if (scarce > 0 && now >= due) {
            Scavenge.punch(subprocess, true);
            Purge.run(subprocess);
            Root.setReliefDueRelaxed(now + RELIEF_PAUSE);
        }
        return PRESSURE_LOOK;
    }

    @Export("void mi_process_info(size_t* elapsed_msecs, size_t* user_msecs, size_t* system_msecs, size_t* current_rss, size_t* peak_rss, size_t* current_commit, size_t* peak_commit, size_t* page_faults)")
    public static void info(long elapsed, long user, long system, long rss, long peakRss, long commit,
            long peakCommit, long faults) {
        long info = ProcessInfo.open();
        if (info == 0) return;
        put(elapsed, ProcessInfo.elapsed(info));
        put(user, ProcessInfo.user(info));
        put(system, ProcessInfo.system(info));
        put(rss, ProcessInfo.resident(info));
        put(peakRss, ProcessInfo.peak(info));
        put(commit, ProcessInfo.committed(info));
        put(peakCommit, ProcessInfo.peakCommit(info));
        put(faults, ProcessInfo.faults(info));
        ProcessInfo.close(info);
    }

    private static void put(long address, long value) {
        if (address != 0) putPointer(address, value);
    }
}
