package dev.mimalloc.machine;

import java.lang.ref.WeakReference;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * The daemon thread that notices the ends of threads, since Java has no hook for them: it looks every 10 ms while
 * threads come and go, and less and less often when nothing happens. It starts with the first theap.
 *
 * <p>An object of this class is one thread's rounds. The thread knows it by a weak reference only, and the class keeps
 * it: so the thread ends by itself when the classes are unloaded, and by {@link #stop} when the reference is cleared.
 * While free memory waits to be given back the thread keeps the object, too: afterwards nobody could give it back.
 */
final class Housekeeper implements LongSupplier {
    private static final long BUSY = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long IDLE = TimeUnit.MILLISECONDS.toNanos(250);

    /** A program that lives longer will do more than its first calls. */
    private static final long PREPARE = TimeUnit.MILLISECONDS.toNanos(500);

    static volatile Lifecycle lifecycle;

    private static volatile Housekeeper current; // written under the class' lock

    private final WeakReference<LongSupplier> self = new WeakReference<>(this);
    private final AtomicReference<Object> kept = new AtomicReference<>(); // by the thread
    private final Thread thread;
    private long pause = BUSY; // the thread's own
    private volatile boolean dozing;
    private final long started = System.nanoTime();
    private boolean begun, prepared; // the thread's own

    private Housekeeper() {
        thread = Thread.ofPlatform().group(topGroup()).daemon().name("mimalloc-housekeeper")
                .inheritInheritableThreadLocals(false).unstarted(Unpinned.rounds(self, kept));
        thread.setContextClassLoader(null); // it would keep an application's classes alive
    }

    /** The group of the JVM's own threads: an application interrupts its groups, and they keep its classes alive. */
    private static ThreadGroup topGroup() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group != null && group.getParent() != null) group = group.getParent();
        return group;
    }

    /** A thread has got a theap: sees to it that its end will be noticed soon. */
    static void watch() {
        Housekeeper keeper = current;
        if (keeper == null || !keeper.thread.isAlive()) {
            start();
        } else if (keeper.dozing) {
            keeper.dozing = false;
            LockSupport.unpark(keeper.thread);
        }
    }

    private static synchronized void start() {
        if (current != null && current.thread.isAlive()) return;
        try {
            Housekeeper keeper = new Housekeeper();
            keeper.thread.start();
            current = keeper;
        } catch (VirtualMachineError e) {
            // No thread to be had now: the caller's theap is in order, and the next theap tries again.
        }
    }

    /** Ends the thread, if there is one, and waits for its end. The next theap of a thread starts another. */
    static void stop() {
        Housekeeper keeper;
        synchronized (Housekeeper.class) {
            keeper = current;
            current = null;
        }
        if (keeper == null) return;
        keeper.self.clear();
        LockSupport.unpark(keeper.thread);
        if (Thread.currentThread() == keeper.thread) return; // from a function of the user's that it has called
        boolean interrupted = false;
        while (keeper.thread.isAlive()) {
            try {
                keeper.thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /** The thread that runs now; null for none. */
    static Thread thread() {
        Housekeeper keeper = current;
        return keeper == null ? null : keeper.thread;
    }

    /** Does the thread keep the allocator for now? */
    static boolean keeps() {
        Housekeeper keeper = current;
        return keeper != null && keeper.kept.get() != null;
    }

    /** One round, and for how many nanoseconds to rest after it. */
    @Override
    public long getAsLong() {
        if (!begun) {
            begun = true;
            return BUSY; // a program may be over by then
        }
        boolean woken = pause > BUSY && !dozing; // by watch()
        boolean busy = attend();
        pause = busy || woken ? BUSY : Math.min(2 * pause, IDLE);
        dozing = pause > BUSY;
        return pause;
    }

    /** True when something happened. Must outlive whatever goes wrong in it. */
    private boolean attend() {
        try {
            if (!prepared && System.nanoTime() - started > PREPARE) {
                prepared = true;
                Os.prepare();
            }
            Thread.interrupted(); // nobody has a reason to interrupt it, and it would never rest again
            Lifecycle lifecycle = Housekeeper.lifecycle;
            boolean busy = ThreadSlot.collectEnded(lifecycle) > 0;
            if (lifecycle != null) lifecycle.tick();
            kept.set(lifecycle != null && lifecycle.hasToTick() ? this : null);
            return busy;
        } catch (Throwable t) {
            report(t);
            return false;
        }
    }

    private static void report(Throwable failure) {
        try {
            Thread self = Thread.currentThread();
            self.getUncaughtExceptionHandler().uncaughtException(self, failure);
        } catch (Throwable t) {
            // The JVM would ignore this as well.
        }
    }
}
