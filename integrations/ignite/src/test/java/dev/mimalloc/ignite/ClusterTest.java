package dev.mimalloc.ignite;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.ignite.programs.Node;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.BindException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cluster of three nodes, a process each, whose regions are on this allocator. */
class ClusterTest {
    private static final int ROWS = 10_000;
    private static final long REGION = 256;
    private static final long PATIENCE = TimeUnit.MINUTES.toSeconds(3);

    private final List<Member> members = new ArrayList<>();
    private int port;

    @TempDir
    Path folder;

    @AfterEach
    void stop() {
        for (Member member : members) member.process.destroyForcibly();
    }

    /** Data and queries are right, and no row is lost when a node dies while rows are put. */
    @Test
    void aNodesDeathUnderLoadLosesNothing() throws Exception {
        start(3, "ours", "memory");
        Member first = members.get(0);
        assertThat(first.ask("nodes")).isEqualTo("3");
        assertThat(first.ask("load 0 " + ROWS)).isEqualTo("loaded");
        for (Member member : members) {
            assertThat(member.ask("sum")).isEqualTo(sumOf(ROWS));
            assertThat(Long.parseLong(member.ask("used"))).isGreaterThanOrEqualTo(32 << 20);
        }
        var more = first.begin("put " + ROWS + " " + 2 * ROWS);
        Thread.sleep(500); // some rows are there by then
        members.get(1).process.destroyForcibly().waitFor();
        assertThat(first.end(more)).isEqualTo("put");
        assertThat(members.get(2).ask("sum")).isEqualTo(sumOf(2 * ROWS));
        assertThat(first.ask("nodes")).isEqualTo("2");
        assertThat(first.ask("remove 0 " + ROWS)).isEqualTo("removed");
        assertThat(members.get(2).ask("size")).isEqualTo("" + ROWS);
        for (Member member : List.of(first, members.get(2))) {
            assertThat(member.leave()).as("what a stopped node has left").isEqualTo("in use: 0");
        }
    }

    /** With persistence Ignite writes pages to disk, reads them back, and a node that died finds its rows again. */
    @Test
    void aClusterOnDiskComesBack() throws Exception {
        start(3, "ours", "disk");
        assertThat(members.get(0).ask("activate")).isEqualTo("active");
        assertThat(members.get(0).ask("load 0 " + ROWS)).isEqualTo("loaded");
        assertThat(members.get(0).ask("put " + ROWS + " " + (ROWS + 1000))).isEqualTo("put");
        stop();
        for (Member member : members) member.process.waitFor();
        members.clear();
        start(3, "ours", "disk");
        assertThat(members.get(0).ask("activate")).isEqualTo("active");
        assertThat(members.get(2).ask("sum")).isEqualTo(sumOf(ROWS + 1000));
        for (Member member : members) assertThat(member.leave()).isEqualTo("in use: 0");
    }

    /** Ignite clears what it reads: a segment is not zeroed, and may have been something else before. */
    @ParameterizedTest
    @ValueSource(strings = {"memory", "disk"})
    void aSegmentMayHaveAnyContent(String storage) throws Exception {
        start(1, "dirty", storage);
        Member only = members.get(0);
        assertThat(only.ask("activate")).isEqualTo("active");
        assertThat(only.ask("load 0 " + ROWS)).isEqualTo("loaded");
        assertThat(only.ask("remove 0 " + ROWS / 2)).isEqualTo("removed");
        assertThat(only.ask("put 0 " + ROWS / 2)).isEqualTo("put");
        assertThat(only.ask("sum")).isEqualTo(sumOf(ROWS));
        assertThat(only.leave()).isEqualTo("in use: 0");
    }

    private static String sumOf(long rows) { return rows + " " + 7 * rows * (rows - 1) / 2 + " 100"; }

    private void start(int count, String allocator, String storage) throws Exception {
        if (port == 0) port = freePort();
        for (int i = 0; i < count; i++) members.add(new Member("node" + i, allocator, storage));
        for (Member member : members) assertThat(member.end(member.answer())).isEqualTo("started");
    }

    /** The first of three ports that were free just now, with three more 100 after them. */
    private static int freePort() throws IOException {
        while (true) {
            List<ServerSocket> sockets = new ArrayList<>();
            try (ServerSocket first = new ServerSocket(0)) {
                int port = first.getLocalPort();
                for (int other : new int[] {port + 1, port + 2, port + 100, port + 101, port + 102}) {
                    sockets.add(new ServerSocket(other));
                }
                return port;
            } catch (BindException | IllegalArgumentException e) {
                // Somebody has one of them, or the number is too large: others may do.
            } finally {
                for (ServerSocket socket : sockets) socket.close();
            }
        }
    }

    /** A node's process. */
    private final class Member {
        final Process process;
        final BufferedReader output;
        final Writer input;
        final StringBuilder said = new StringBuilder();

        Member(String name, String allocator, String storage) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of(System.getProperty("ignite.flags").split(" ")));
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-Xmx512m",
                    "-DIGNITE_QUIET=true", "-DIGNITE_NO_ASCII=true", "-DIGNITE_UPDATE_NOTIFIER=false", "-cp",
                    System.getProperty("java.class.path"), Node.class.getName(), name, "" + port,
                    folder.toString(), allocator, storage, "" + REGION));
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            output = process.inputReader(StandardCharsets.UTF_8);
            input = process.outputWriter(StandardCharsets.UTF_8);
        }

        String ask(String command) throws Exception { return end(begin(command)); }

        FutureTask<String> begin(String command) throws IOException {
            input.write(command + "\n");
            input.flush();
            return answer();
        }

        FutureTask<String> answer() {
            var answer = new FutureTask<>(this::read);
            Thread.ofVirtual().start(answer);
            return answer;
        }

        String end(FutureTask<String> answer) throws InterruptedException, ExecutionException {
            try {
                return answer.get(PATIENCE, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                process.destroyForcibly();
                throw new AssertionError("no answer; the node has said:\n" + said, e);
            }
        }

        /** Lets the node stop, and returns the last that it says. */
        String leave() throws Exception {
            input.close();
            String last = end(answer());
            assertThat(process.waitFor()).as(said::toString).isZero();
            return last;
        }

        private String read() {
            try {
                for (String line = output.readLine(); line != null; line = output.readLine()) {
                    said.append(line).append('\n');
                    if (line.startsWith("= ")) return line.substring(2);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            throw new AssertionError("the node has ended, and said:\n" + said);
        }
    }
}
