package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * PostgreSQL: pgbench's transactions, then queries that sort, join, aggregate and build documents, in two sessions at a time. fsync is
 * off, as the disk is not what is measured.
 */
final class PostgreSql implements Service {
    private static final int CLIENTS = 8, SESSIONS = 2;

    /** Each prints a line that does not depend on the order of rows. */
    private static final String QUERIES = """
            set work_mem = '64MB';
            set jit = off;
            select count(*), sum(abalance), md5(string_agg(aid || ':' || abalance, ',' order by aid)) from pgbench_accounts;
            select md5(string_agg(tid || ':' || tbalance, ',' order by tid)) from pgbench_tellers;
            select count(*), sum(delta) from pgbench_history;
            select count(*), md5(sum(n)::text) from (select aid % 1009 g, count(*) n, array_agg(bid order by aid) b from
              pgbench_accounts group by 1) t;
            select count(*), max(length(d::text)) from (select jsonb_object_agg(aid, jsonb_build_object('bid', bid, 'text',
              md5(aid::text))) d from pgbench_accounts where aid <= 50000 group by aid % 97) t;
            select count(distinct md5(a.aid::text || b.aid)) from pgbench_accounts a join pgbench_accounts b on
              a.aid = (b.aid::bigint * 7919) % 100000 where a.aid <= 60000;
            do $$ declare t text := ''; begin for i in 1..20000 loop t := t || chr(65 + i % 26); if length(t) > 5000 then
              t := right(t, 100); end if; end loop; raise notice '%', md5(t); end $$;
            select md5(string_agg(x, '' order by x)) from (select distinct regexp_replace(md5(i::text), '[a-f]+', '-', 'g') x
              from generate_series(1, 40000) i) t;
            """;

    @Override
    public String name() { return "postgresql"; }

    @Override
    public String title() { return "PostgreSQL: pgbench, then sorts, joins, aggregates, documents"; }

    @Override
    public List<String> packages() { return List.of("postgresql-[0-9]+", "postgresql-client-[0-9]+"); }

    private static String program(Place place, String name) throws IOException {
        try (var versions = Files.list(place.tree().resolve("usr/lib/postgresql"))) {
            return versions.map(version -> version.resolve("bin/" + name)).filter(Files::isExecutable)
                    .max(Path::compareTo).orElseThrow(() -> new Failed("there is no " + name)).toString();
        }
    }

    @Override
    public void prepare(Place place) throws IOException, InterruptedException {
        place.execute(place.unprivileged(List.of(program(place, "initdb"), "-D", "data", "-U", "postgres", "-A", "trust", "-N",
                "--locale=C", "-E", "UTF8")));
        try (var daemon = new Daemon(command(place), place.folder(), place.environment())) {
            Trial.awaitReady(this, place, daemon);
            place.execute(client(place, "pgbench", "-i", "-q", "-s", place.quick() ? "1" : "5", "postgres"));
            daemon.stop();
        }
    }

    @Override
    public List<String> command(Place place) throws IOException {
        return place.unprivileged(List.of(program(place, "postgres"), "-D", place.folder().resolve("data").toString(), "-p",
                "" + place.port(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c",
                "fsync=off", "-c", "shared_buffers=64MB", "-c", "max_connections=40", "-c", "autovacuum=off", "-c",
                "max_parallel_workers_per_gather=2"));
    }

    @Override
    public boolean isReady(Place place) throws IOException {
        try {
            place.execute(client(place, "pg_isready", "-q"));
            return true;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        load.phase("pgbench", () -> {
            // Each client's numbers follow from the seed, and sums do not depend on their order.
            String said = place.execute(client(place, "pgbench", "-n", "-c", "" + CLIENTS, "-j", "2", "-t",
                    place.quick() ? "300" : "4000", "--random-seed=1", "-l", "--log-prefix=latency", "postgres"));
            if (!said.contains("number of failed transactions: 0 ")) throw new Failed("pgbench says " + said);
            readLatencies(place, load);
            return said;
        });
        Path queries = place.folder().resolve("queries.sql");
        Files.writeString(queries, QUERIES);
        int times = place.quick() ? 1 : 4;
        return load.phase("queries", () -> {
            var command = client(place, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "postgres");
            for (int i = 0; i < times; i++) command.addAll(List.of("-f", queries.toString()));
            var answers = new ArrayList<String>();
            try (var sessions = Executors.newFixedThreadPool(SESSIONS)) {
                var all = new ArrayList<Future<String>>();
                for (int i = 0; i < SESSIONS; i++) all.add(sessions.submit(() -> place.execute(command)));
                for (var one : all) answers.add(one.get());
            } catch (ExecutionException e) {
                throw new Failed("queries: " + e.getCause().getMessage());
            }
            return String.join("", answers);
        });
    }

    /** A line for each transaction, whose third word is its time in microseconds. */
    private static void readLatencies(Place place, Load load) throws IOException {
        try (var files = Files.newDirectoryStream(place.folder(), "latency.*")) {
            for (Path file : files) {
                for (String line : Files.readAllLines(file)) load.took(1000 * Long.parseLong(line.split(" ", -1)[2]));
            }
        }
    }

    static List<String> client(Place place, String program, String... words) throws IOException {
        var command = new ArrayList<>(List.of(program(place, program), "-h", "127.0.0.1", "-p", "" + place.port(), "-U",
                "postgres"));
        command.addAll(List.of(words));
        return command;
    }
}
