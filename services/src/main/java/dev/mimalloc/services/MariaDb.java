package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/**
 * MariaDB: rows are inserted in bulk, then read and changed one by one on connections that come and go, then sorted, joined and
 * put together by queries. Each client has keys of its own. The disk is not waited for, as it is not what is measured.
 */
final class MariaDb implements Service {
    private static final int CLIENTS = 4, BULK = 200, BATCH = 400, GROUPS = 997;
    private static final String FILLER = "mimalloc".repeat(60);

    private static final List<String> TABLES = List.of("create database load_test character set latin1", """
            create table load_test.t (id bigint primary key, g int not null, n bigint not null, s varchar(480) not null,
              key(g)) engine=innodb""");

    /** Each has an order of its own, so that its rows come in one. */
    private static final List<String> QUERIES = List.of("select g, count(*), sum(n), max(length(s)) from t group by g order by g",
            "select g, md5(group_concat(id, ':', n order by id separator ',')) from t group by g order by g",
            "select g, length(json_arrayagg(json_object('id', id, 's', s))) from t where g < 200 group by g order by g",
            "select a.g, count(*), sum(b.n) from t a join t b on b.id = a.id + 1 where a.n % 3 = 0 group by a.g order by a.g",
            "select id, n, s from t order by s, id limit 2000",
            "select count(distinct regexp_replace(md5(id), '[a-f]+', '-')) from t where g < 300",
            "with recursive r(i, s) as (select 1, cast('' as char(2000)) union all select i + 1, right(concat(s, md5(i)), 1800)"
                    + " from r where i < 900) select md5(group_concat(s order by i)) from r");

    /** A statement's run; what it returns does not depend on time. */
    private interface Sql<T> {
        T run(Connection connection) throws SQLException;
    }

    @Override
    public String name() { return "mariadb"; }

    @Override
    public String title() { return "MariaDB: inserts, reads and updates, then sorts, joins, documents"; }

    @Override
    public List<String> packages() { return List.of("mariadb-server"); }

    @Override
    public void prepare(Place place) throws IOException, InterruptedException {
        place.execute(place.unprivileged(List.of(place.program("usr/bin/mariadb-install-db"), "--no-defaults", "--basedir="
                + place.tree().resolve("usr"), "--datadir=" + data(place), "--auth-root-authentication-method=normal",
                "--skip-test-db", "--skip-name-resolve")));
        try (var daemon = new Daemon(command(place), place.folder(), place.environment())) {
            Trial.awaitReady(this, place, daemon);
            connect(place, "", connection -> {
                try (Statement statement = connection.createStatement()) {
                    for (String table : TABLES) statement.executeUpdate(table);
                    return true;
                }
            });
            daemon.stop();
        }
    }

    private static String data(Place place) { return place.folder().resolve("data").toString(); }

    @Override
    public List<String> command(Place place) throws IOException {
        return place.unprivileged(List.of(place.program("usr/sbin/mariadbd"), "--no-defaults", "--basedir="
                + place.tree().resolve("usr"), "--datadir=" + data(place), "--bind-address=127.0.0.1", "--port=" + place.port(),
                "--socket=" + place.folder().resolve("socket"), "--pid-file=" + place.folder().resolve("pid"),
                "--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0",
                "--innodb-flush-method=nosync", "--innodb-stats-persistent=0", "--tmp-table-size=32M",
                "--max-heap-table-size=32M", "--group-concat-max-len=4M"));
    }

    @Override
    public boolean isReady(Place place) throws IOException {
        return connect(place, "", connection -> connection.isValid(1));
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int rows = (place.quick() ? 20_000 : 120_000) / CLIENTS, requests = (place.quick() ? 8_000 : 120_000) / CLIENTS;
        var digest = new StringBuilder();
        digest.append(load.clients("fill", CLIENTS, (client, random) -> connect(place, "load_test",
                connection -> fill(connection, client, rows, random))));
        digest.append(load.clients("requests", CLIENTS, (client, random) -> {
            long checksum = 0;
            for (int i = 0; i < requests; i += BATCH) {
                int from = i;
                checksum = 31 * checksum + connect(place, "load_test",
                        connection -> batch(connection, load, client, rows, from, random));
            }
            return checksum;
        }));
        digest.append(load.phase("queries", () -> connect(place, "load_test", MariaDb::query)));
        long all = load.phase("checksum", () -> connect(place, "load_test", MariaDb::checksumOfTable));
        return digest.append(all).toString();
    }

    private static <T> T connect(Place place, String database, Sql<T> sql) throws IOException {
        try (Connection connection = DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + place.port() + "/" + database
                + "?user=root&connectTimeout=2000&socketTimeout=60000")) {
            return sql.run(connection);
        } catch (SQLException e) {
            throw new IOException("MariaDB: " + e.getMessage(), e);
        }
    }

    private static long key(int client, int number) { return client * 1_000_000_000L + number; }

    private static long fill(Connection connection, int client, int rows, SplittableRandom random) throws SQLException {
        long inserted = 0;
        try (Statement statement = connection.createStatement()) {
            for (int i = 0; i < rows; i += BULK) {
                var insert = new StringBuilder("insert into t values ");
                for (int j = i; j < Math.min(i + BULK, rows); j++) {
                    insert.append(j == i ? "" : ",").append("(%d,%d,%d,'%s')".formatted(key(client, j), random.nextInt(GROUPS),
                            random.nextInt(1_000_000), text(random)));
                }
                inserted += statement.executeUpdate(insert.toString());
            }
        }
        return inserted;
    }

    private static String text(SplittableRandom random) {
        return random.nextInt(1_000_000) + FILLER.substring(0, random.nextInt(1, FILLER.length() - 6));
    }

    // A connection's life.
    private static long batch(Connection connection, Load load, int client, int rows, int from, SplittableRandom random)
            throws SQLException {
        long checksum = 0;
        try (var get = connection.prepareStatement("select n, s from t where id = ?");
                var scan = connection.prepareStatement("select g, n, s from t where id between ? and ? order by n, id");
                var change = connection.prepareStatement("update t set n = n + 1, s = ? where id = ?");
                var put = connection.prepareStatement("insert into t values (?, ?, ?, ?)");
                var delete = connection.prepareStatement("delete from t where id = ?")) {
            for (int i = from; i < from + BATCH; i++) {
                long id = key(client, random.nextInt(rows)), start = System.nanoTime();
                long result = switch (i % 8) {
                    case 0 -> update(change, text(random), id);
                    case 1 -> update(put, key(client, rows + i), random.nextInt(GROUPS), i, text(random));
                    case 2 -> update(delete, id);
                    case 3 -> rows(scan, id, id + 100);
                    default -> rows(get, id);
                };
                load.took(System.nanoTime() - start);
                checksum = 31 * checksum + result;
            }
        }
        return checksum;
    }

    private static void set(PreparedStatement statement, Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
    }

    private static long update(PreparedStatement statement, Object... values) throws SQLException {
        set(statement, values);
        return statement.executeUpdate();
    }

    private static long rows(PreparedStatement statement, Object... values) throws SQLException {
        set(statement, values);
        try (ResultSet rows = statement.executeQuery()) {
            return checksum(rows);
        }
    }

    private static String query(Connection connection) throws SQLException {
        var sums = new StringBuilder();
        try (Statement statement = connection.createStatement()) {
            for (String query : QUERIES) {
                try (ResultSet rows = statement.executeQuery(query)) {
                    sums.append(' ').append(checksum(rows));
                }
            }
        }
        return sums.toString();
    }

    /** The server's own, which does not depend on the order of rows. */
    private static long checksumOfTable(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("checksum table t")) {
            return checksum(rows);
        }
    }

    private static long checksum(ResultSet rows) throws SQLException {
        var sum = new CRC32();
        while (rows.next()) {
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                String value = rows.getString(i);
                if (value == null) throw new Failed("MariaDB answers null");
                sum.update(value.getBytes(StandardCharsets.ISO_8859_1));
                sum.update(0);
            }
        }
        return sum.getValue();
    }
}
