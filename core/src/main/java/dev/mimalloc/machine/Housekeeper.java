package dev.mimalloc.machine;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The daemon thread that notices the ends of threads, since Java has no hook for them: it looks every 10 ms while
 * threads come and go, and less and less often when nothing happens. It starts with the first theap.
 */
final class Housekeeper implements Runnable {
    private static final long BUSY = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long IDLE = TimeUnit.MILLISECONDS.toNanos(250);

    static volatile Lifecycle lifecycle;

    private static volatile Thread thread;
    private static volatile boolean dozing;

    /** A thread has got a theap: sees to it that its end will be noticed soon. */
    static void watch() {
        Thread keeper = thread;
        if (keeper == null) start();
        else if (dozing) {
            dozing = false;
            LockSupport.unpark(keeper);
        }
    }

    private static synchronized void start() {
        if (thread != null) return;
        try {
            Thread keeper = Thread.ofPlatform().daemon().name("mimalloc-housekeeper")
                    .inheritInheritableThreadLocals(false).unstarted(new Housekeeper());
            keeper.setContextClassLoader(null); // it would keep an application's classes alive
            keeper.start();
            thread = keeper;
        } catch (OutOfMemoryError e) {
            // No thread to be had now: the caller's theap is in order, and the next theap tries again.
        }
    }

    @Override
    public void run() {
        for (long pause = BUSY;; pause = attend() ? BUSY : Math.min(2 * pause, IDLE)) {
            dozing = pause > BUSY;
            LockSupport.parkNanos(pause);
            if (pause > BUSY && !dozing) pause = BUSY; // woken by watch()
        }
    }

    /** One round; true when something happened. Must outlive whatever goes wrong in it. */
    private static boolean attend() {
        try {
            Lifecycle lifecycle = Housekeeper.lifecycle;
            boolean busy = ThreadSlot.collectEnded(lifecycle) > 0;
            if (lifecycle != null) lifecycle.tick();
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
