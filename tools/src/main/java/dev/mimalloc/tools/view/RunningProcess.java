package dev.mimalloc.tools.view;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A process of Linux that runs on the library: what its environment says, and what it writes when it is asked. */
record RunningProcess(long pid) {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);
    private static final Pattern RESIDENT = Pattern.compile("(?m)^Rss: +(\\d+) kB");
    private static final int USR2 = 12;
    private static final String JVM_HINT = " is a JVM, which listens to no signal for it: Mimalloc.dump(file), or writeDump(file) of the MBean "
            + "dev.mimalloc:type=Allocator, writes a dump of a Java program's heap, and `./mimalloc map FILE` draws it";

    /** Why there is no answer. */
    static final class Silent extends IOException {
        private static final long serialVersionUID = 1;

        Silent(String reason) { super(reason); }
    }

    private Path proc(String file) { return Path.of("/proc", Long.toString(pid), file); }

    boolean runs() { return Files.exists(proc("status")); }

    /** A variable of the environment that it was started with, or null. */
    String variable(String name) throws IOException {
        for (String entry : new String(Files.readAllBytes(proc("environ")), StandardCharsets.UTF_8).split("\0", -1)) {
            if (entry.startsWith(name + "=")) return entry.substring(name.length() + 1);
        }
        return null;
    }

    /** A file by the name that it has for the process. */
    private Path file(String name) throws IOException { return proc("cwd").toRealPath().resolve(name); }

    /** The shared file of {@code MIMALLOC_LIVE}. */
    Path liveFile() throws IOException {
        String name = variable("MIMALLOC_LIVE");
        if (name == null) throw new Silent(hint("MIMALLOC_LIVE", "--live"));
        return file(name + "." + pid + ".live");
    }

    private String hint(String variable, String option) {
        return "process " + pid + " was not started with " + variable + "=NAME; `./mimalloc run " + option + " PROGRAM` does so";
    }

    /** Has a process an action of its own for the signal? If not, it would end it. */
    private boolean handles(int signal) throws IOException {
        for (String line : Files.readAllLines(proc("status"))) {
            if (line.startsWith("SigCgt:")) return new BigInteger(line.substring(7).strip(), 16).testBit(signal - 1);
        }
        return false;
    }

    private boolean isJvm() throws IOException {
        try (Stream<String> lines = Files.lines(proc("maps"), StandardCharsets.ISO_8859_1)) {
            return lines.anyMatch(line -> line.endsWith("/libjvm.so"));
        }
    }

    /** What it writes at the signal of {@code MIMALLOC_DUMP}. */
    HeapDump dump() throws IOException, InterruptedException {
        if (!runs()) throw new Silent("there is no process " + pid);
        String name = variable("MIMALLOC_DUMP"), number = variable("MIMALLOC_DUMP_SIGNAL");
        int signal = number == null ? USR2 : Integer.parseInt(number);
        // A JVM has an action of its own for SIGUSR2, with the library or without.
        if (isJvm() && (name == null || signal == USR2)) throw new Silent("process " + pid + JVM_HINT);
        if (name == null) throw new Silent(hint("MIMALLOC_DUMP", "--dump"));
        if (!handles(signal)) throw new Silent("process " + pid + " does not listen to signal " + signal);
        Path last = file(name + "." + pid);
        int next = 1;
        while (Files.exists(numbered(last, next))) next++;
        new ProcessBuilder(List.of("kill", "-" + signal, Long.toString(pid))).inheritIO().start().waitFor();
        return await(numbered(last, next));
    }

    private static Path numbered(Path file, int number) { return file.resolveSibling(file.getFileName() + "." + number + ".json"); }

    private HeapDump await(Path file) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE;
        while (System.nanoTime() < end) {
            if (Files.exists(file)) {
                String text = Files.readString(file);
                if (text.endsWith("}\n")) return HeapDump.parse(text);
            }
            if (!runs()) throw new Silent("process " + pid + " has ended");
            Thread.sleep(20);
        }
        throw new Silent("process " + pid + " has not written " + file);
    }

    /** The program's name, or nothing when it has ended. */
    String name() {
        try {
            return Files.readString(proc("comm")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** Bytes of the whole process that the system has in memory; 0 if it does not tell. */
    long resident() throws IOException {
        if (!Files.isReadable(proc("smaps_rollup"))) return 0;
        var found = RESIDENT.matcher(Files.readString(proc("smaps_rollup")));
        return found.find() ? Long.parseLong(found.group(1)) << 10 : 0;
    }
}
