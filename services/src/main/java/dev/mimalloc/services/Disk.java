package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A small disk in memory, mounted in a process' own namespace, which needs no root. Others reach it by way of that process. */
final class Disk implements AutoCloseable {
    private static final String MOUNT = "mount -t tmpfs -o size=\"$1\" none \"$2\" && touch \"$2/mounted\" && exec sleep infinity";

    private final Daemon holder;
    private final Path folder;

    Disk(Path parent, int mebibytes) throws IOException, InterruptedException {
        Path point = Files.createDirectories(parent.resolve("disk"));
        holder = new Daemon(List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", mebibytes + "m",
                point.toString()), point, Map.of());
        folder = Path.of("/proc/" + holder.pid() + "/root" + point);
        try {
            while (!Files.exists(folder.resolve("mounted"))) {
                holder.mustRun();
                Thread.sleep(10);
            }
        } catch (InterruptedException | Failed e) {
            holder.close();
            throw e;
        }
    }

    /** Its folder, as long as it is not closed. */
    Path folder() { return folder; }

    @Override
    public void close() { holder.close(); }
}
