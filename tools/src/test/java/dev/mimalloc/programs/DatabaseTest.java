package dev.mimalloc.programs;

import static dev.mimalloc.programs.Preloaded.file;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SQLite, and a Redis server under load. */
class DatabaseTest {
    @TempDir
    private Path folder;

    private int port;
    private Preloaded server;

    @Test
    void sqliteKeepsItsBooks() throws Exception {
        String script = "PRAGMA journal_mode = WAL;\nPRAGMA synchronous = OFF;\n"
                + "CREATE TABLE size AS SELECT 60000 AS n;\n"
                + Files.readString(Path.of(file("dev/mimalloc/tools/demo/accounts.sql")));
        var outcome = new Preloaded(folder, "sqlite3", "bank.db").input(script).run();
        assertThat(outcome.output()).isEqualTo("""
                wal
                balances|6000000000|98184|101816
                cities|500|708390
                notes|26640|90
                ranks|30332597
                json|240000|14198321
                search|480
                left|160000|79613760
                ok
                """);
    }

    @Test
    void redisServesManyClientsAndSaves() throws Exception {
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        startServer();
        assertThat(client("eval", """
                for i = 1, 50000 do
                  redis.call('SET', 'key:' .. i, string.rep('v', i % 500))
                  redis.call('HSET', 'hash:' .. i % 100, 'field' .. i, i)
                  redis.call('ZADD', 'set:' .. i % 70, i, 'member' .. i)
                end
                return redis.call('DBSIZE')
                """, "0")).isEqualTo("50170");
        String benchmark = "redis-benchmark -q -P 16 -c 50 --threads 2 -r 20000 -n 100000 -d 200"
                + " -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset -p " + port;
        new Preloaded(folder, benchmark.split(" ", -1)).run();
        assertThat(client("strlen", "key:499")).isEqualTo("499");
        String digest = client("debug", "digest");
        assertThat(digest).matches("[0-9a-f]{40}");

        client("bgrewriteaof"); // forks, and so does this:
        for (int i = 0; !memory("aof_rewrite_in_progress").equals("0") && i < 200; i++) Thread.sleep(50);
        assertThat(client("bgsave")).contains("started");
        for (int i = 0; !memory("rdb_bgsave_in_progress").equals("0") && i < 200; i++) Thread.sleep(50);
        stopServer();
        startServer();
        assertThat(client("debug", "digest")).isEqualTo(digest);

        long full = Long.parseLong(memory("used_memory"));
        client("flushall", "async"); // a thread of its own frees what the main thread allocated
        for (int i = 0; !memory("lazyfree_pending_objects").equals("0") && i < 200; i++) Thread.sleep(50);
        assertThat(Long.parseLong(memory("used_memory"))).isLessThan(full / 4);
        stopServer();
    }

    @AfterEach
    void killServer() {
        if (server != null) server.kill();
    }

    private void startServer() throws Exception {
        // Debian has one program for all, told apart by its name; the server's own package would start a daemon.
        String settings = "--port " + port + " --bind 127.0.0.1 --save '' --io-threads 2 --enable-debug-command yes";
        server = new Preloaded(folder, "bash", "-c", "exec -a redis-server redis-check-rdb $0", settings)
                .foreignBlocks() // from jemalloc's mallocx, which Redis 8 calls
                .start();
        for (int i = 0; i < 200; i++) {
            var ping = new ProcessBuilder("redis-cli", "-p", "" + port, "ping").start();
            if (new String(ping.getInputStream().readAllBytes(), StandardCharsets.UTF_8).equals("PONG\n")) return;
            Thread.sleep(50);
        }
        throw new AssertionError("the server does not answer");
    }

    private void stopServer() throws Exception {
        client("shutdown", "save");
        server.end(Duration.ofSeconds(30));
    }

    private String client(String... words) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("redis-cli", "-p", "" + port));
        command.addAll(List.of(words));
        return new Preloaded(folder, command.toArray(String[]::new)).run().output().strip();
    }

    private String memory(String field) throws IOException, InterruptedException {
        var line = Pattern.compile("^" + field + ":(\\d+)", Pattern.MULTILINE).matcher(client("info", "all"));
        assertThat(line.find()).as(field).isTrue();
        return line.group(1);
    }
}
