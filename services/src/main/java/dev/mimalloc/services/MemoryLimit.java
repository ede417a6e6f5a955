package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A cgroup with a limit on memory, of version 1 or 2, below this process' own. It closes when all in it have ended. */
final class MemoryLimit implements AutoCloseable {
    private static final Path MOUNT = Path.of("/sys/fs/cgroup");
    private static final int CLOSE_TRIES = 100;

    private final Path group;

    MemoryLimit(long bytes) throws IOException {
        String name = "mimalloc-services-" + ProcessHandle.current().pid();
        group = parents().map(parent -> parent.resolve(name)).filter(MemoryLimit::canLimit).findFirst()
                .orElseThrow(() -> new Failed("no cgroup that limits memory can be made here"));
        write(bytes, "memory.limit_in_bytes", "memory.max");
        write(bytes, "memory.memsw.limit_in_bytes");
        write(0, "memory.swap.max");
    }

    /** This process' own group, and the root of those that can be seen here. */
    private static Stream<Path> parents() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/cgroup")).stream().map(line -> line.split(":", 3)).flatMap(words -> {
            Path root = words[1].isEmpty() ? MOUNT : MOUNT.resolve(words[1]);
            return words[1].isEmpty() || words[1].equals("memory") ? Stream.of(root.resolve(words[2].substring(1)), root) : Stream.empty();
        });
    }

    private static boolean canLimit(Path group) {
        try {
            Files.createDirectory(group);
            if (Files.isWritable(group.resolve("memory.limit_in_bytes")) || Files.isWritable(group.resolve("memory.max"))) return true;
            Files.delete(group);
        } catch (IOException e) {
            // Somebody else's.
        }
        return false;
    }

    private void write(long value, String... names) throws IOException {
        for (String name : names) {
            if (Files.isWritable(group.resolve(name))) Files.writeString(group.resolve(name), "" + value);
        }
    }

    /** The command in this group. */
    List<String> command(List<String> command) {
        var words = new ArrayList<>(List.of("sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", group.resolve("cgroup.procs").toString()));
        words.addAll(command);
        return words;
    }

    /** How many processes were killed as there was no more memory. */
    long kills() throws IOException {
        for (String name : List.of("memory.oom_control", "memory.events")) {
            if (!Files.exists(group.resolve(name))) continue;
            for (String line : Files.readAllLines(group.resolve(name))) {
                if (line.startsWith("oom_kill ")) return Long.parseLong(line.substring("oom_kill ".length()));
            }
        }
        throw new Failed("the kernel does not tell whom it has killed");
    }

    /** The most bytes that were in use. Linux before 5.19 does not tell for version 2: 0. */
    long peak() throws IOException {
        for (String name : List.of("memory.max_usage_in_bytes", "memory.peak")) {
            if (Files.exists(group.resolve(name))) return Long.parseLong(Files.readString(group.resolve(name)).strip());
        }
        return 0;
    }

    @Override
    public void close() throws IOException {
        for (int i = 0;; i++) {
            try {
                Files.delete(group);
                return;
            } catch (IOException e) {
                if (i == CLOSE_TRIES) throw e; // a process that has ended is in it for a while yet
                sleep();
            }
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
