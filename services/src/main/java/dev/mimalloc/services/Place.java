package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where a run of a service takes place.
 *
 * @param tree    its unpacked packages
 * @param folder  its data, which this run has alone
 * @param port    a port of the loopback that was free just now
 * @param quick   is there less to do?
 * @param minutes how long what comes at a rate comes
 */
record Place(Path tree, Path folder, int port, boolean quick, int minutes) {
    static Place of(Path tree, Path folder, boolean quick, int minutes) throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new Place(tree, folder, socket.getLocalPort(), quick, minutes);
        }
    }

    /** The first of these files that the packages have, or else the system. */
    String program(String... names) {
        for (Path root : List.of(tree, Path.of("/"))) {
            for (String name : names) {
                if (Files.isExecutable(root.resolve(name))) return root.resolve(name).toString();
            }
        }
        throw new Failed("there is no " + String.join(" nor ", names));
    }

    /** Where the libraries are that came with the packages. */
    Path libraries() {
        String machine = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        return tree.resolve("usr/lib/" + machine + "-linux-gnu");
    }

    /** What the service and its tools find in their environment. */
    Map<String, String> environment() { return Map.of("LD_LIBRARY_PATH", libraries().toString(), "LC_ALL", "C"); }

    /** The command as another user where this one is root, as which some services refuse to run. */
    List<String> unprivileged(List<String> command) throws IOException {
        if (!Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)) return command;
        // A user of that name in a namespace of its own: the files belong to it there, and stay root's here.
        var words = new ArrayList<>(List.of("unshare", "--user", "--map-user=1000"));
        words.addAll(command);
        return words;
    }

    /** Runs a program on the system's malloc to its end, and returns what it said. */
    String execute(List<String> command) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectInput(Redirect.from(Daemon.NOTHING))
                .redirectError(folder.resolve("errors").toFile());
        Daemon.environment(builder, environment());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new Failed(Path.of(command.getFirst()).getFileName() + " ended with " + process.exitValue() + ": "
                    + Daemon.end(folder.resolve("errors")));
        }
        return said;
    }
}
