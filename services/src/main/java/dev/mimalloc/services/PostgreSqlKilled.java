package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** PostgreSQL, which promises that a transaction is there as a whole or not at all, and outlives the server once it is acknowledged. */
final class PostgreSqlKilled implements Ordeal {
    private static final int ROUNDS = 2, COMMITS = 300, MOST = 20_000;
    // How psql ends when it has lost its server.
    private static final int SERVER_GONE = 2;

    @Override
    public String name() { return "postgresql-killed"; }

    @Override
    public String title() { return "PostgreSQL is killed while clients commit"; }

    @Override
    public Service service() { return new PostgreSql(); }

    @Override
    public Held run(Place place, Allocator allocator) throws IOException, InterruptedException {
        var server = service();
        var command = Ordeal.with(server.command(place), "-c", "fsync=on");
        var writers = new Writers();
        for (int i = 0; i < ROUNDS; i++) {
            int round = i;
            try (var daemon = Trial.start(server, command, place, allocator)) {
                if (round == 0) ask(place, "create table kept (key text, half int, filler text)");
                mustHave(place, writers.acknowledged());
                writers.writeUntilKilled(daemon, COMMITS, (client, acknowledge) -> write(place, client + ":" + round, acknowledge));
            }
        }
        try (var daemon = Trial.start(server, command, place, allocator)) {
            mustHave(place, writers.acknowledged());
            daemon.stop();
        }
        return new Held("every acknowledged transaction was there after each of %d deaths, and none by half".formatted(ROUNDS),
                "%,d transactions".formatted(writers.acknowledged().size()));
    }

    /** Commits until the server is gone. psql prints a row when its transaction is acknowledged. */
    private static void write(Place place, String prefix, Consumer<String> acknowledge) throws IOException, InterruptedException {
        Path script = place.folder().resolve(prefix + ".sql"), errors = place.folder().resolve(prefix + ".errors");
        Files.write(script, IntStream.range(0, MOST).mapToObj(i -> ("with halves as (insert into kept values ('%1$s:%2$d', 0, '%1$s'), "
                + "('%1$s:%2$d', 1, repeat('%2$d ', %2$d %% 500)) returning key) select max(key) from halves;").formatted(prefix, i)).toList());
        var builder = new ProcessBuilder(PostgreSql.client(place, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f",
                script.toString(), "postgres")).redirectInput(Redirect.from(Daemon.NOTHING)).redirectError(errors.toFile());
        Daemon.environment(builder, place.environment());
        Process process = builder.start();
        try (var rows = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            rows.lines().forEach(acknowledge);
        }
        int code = process.waitFor();
        if (code != 0 && code != SERVER_GONE) throw new Failed("psql ended with " + code + ": " + Daemon.end(errors));
    }

    private static void mustHave(Place place, Set<String> keys) throws IOException, InterruptedException {
        String halves = ask(place, "select key from kept group by key having count(*) <> 2 or count(distinct half) <> 2 limit 1");
        if (!halves.isBlank()) throw new Failed("there is half a transaction, " + halves.strip());
        var lost = new HashSet<>(keys);
        lost.removeAll(ask(place, "select key from kept").lines().collect(Collectors.toSet()));
        if (!lost.isEmpty()) throw new Failed("%d acknowledged transactions are lost, of them %s".formatted(lost.size(),
                lost.iterator().next()));
    }

    private static String ask(Place place, String query) throws IOException, InterruptedException {
        List<String> command = PostgreSql.client(place, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query, "postgres");
        return place.execute(command);
    }
}
