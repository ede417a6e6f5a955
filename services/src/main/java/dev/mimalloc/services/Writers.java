package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Clients that write until the service is killed under them, and what has been acknowledged to them. */
final class Writers {
    private static final int CLIENTS = 4;
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();

    /** One of them: it writes what no other does, tells what was acknowledged, and returns when the service is gone. */
    interface Client {
        void write(int index, Consumer<String> acknowledge) throws IOException, InterruptedException;
    }

    /** All that was acknowledged in all rounds. */
    Set<String> acknowledged() { return acknowledged; }

    /** Kills the service when so much more has been acknowledged. */
    void writeUntilKilled(Daemon daemon, int more, Client client) throws IOException, InterruptedException {
        int enough = acknowledged.size() + more;
        new Load().clients("write", CLIENTS + 1, (index, _) -> {
            try {
                if (index < CLIENTS) client.write(index, acknowledged::add);
                else kill(daemon, enough);
                return 0;
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
    }

    private void kill(Daemon daemon, int enough) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (acknowledged.size() < enough && System.nanoTime() < end) Thread.sleep(1);
        daemon.kill();
        if (acknowledged.size() < enough) throw new Failed("only %d writes were acknowledged".formatted(acknowledged.size()));
    }
}
