package dev.mimalloc.services.engines;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A standalone cluster of Apache Spark: a master and two workers, each with an executor, are processes that this one starts, and it is
 * the driver. The library for the executors is in {@code EXECUTOR_PRELOAD}, with their options in {@code EXECUTOR_OPTIONS}.
 */
public final class SparkCluster {
    private static final int WORKERS = 2;
    private static final int LINES_OF_AN_ORDER = 4, ORDERS_OF_A_CUSTOMER = 10;

    /** Sums are of whole numbers, which do not depend on their order. */
    private static final Map<String, String> QUERIES = Map.of("prices", """
            select flag, status, count(*), sum(quantity), sum(price), sum(price * (100 - discount)), max(comment) from line
            where day <= 2400 group by flag, status order by flag, status""", "customers", """
            select c.segment, o.day % 365 d, count(*), sum(l.price * (100 - l.discount)) from customer c
            join orders o on o.customer = c.id join line l on l.ordered = o.id group by 1, 2 order by 1, 2""", "large", """
            select o.id, o.customer, count(*) n, sum(l.quantity) q, max(l.comment) from orders o join line l on l.ordered = o.id
            group by o.id, o.customer having sum(l.quantity) > 180 order by q desc, o.id limit 500""", "sort", """
            select count(*), sum(r % 1000 * price % 97) from (select price, row_number() over (partition by flag
            order by comment, id) r from line)""");

    private static final AtomicLong SPILLED = new AtomicLong();

    private SparkCluster() {}

    /** Arguments: the port of the control and the folder. */
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[1]), home = home(folder);
        int port = freePort();
        var processes = new ArrayList<Process>();
        processes.add(start(home, "master.Master", "--host", "127.0.0.1", "--port", "" + port, "--webui-port", "0"));
        for (int i = 0; i < WORKERS; i++) {
            processes.add(start(home, "worker.Worker", "spark://127.0.0.1:" + port, "--host", "127.0.0.1", "--cores", "1",
                    "--memory", "2g", "--work-dir", folder.resolve("work").toString(), "--webui-port", "0"));
        }
        SparkSession spark = session(folder, port);
        Control.serve(Integer.parseInt(args[0]), words -> obey(spark, folder, words), () -> {
            spark.stop();
            for (Process process : processes.reversed()) {
                process.destroy();
                process.waitFor(1, TimeUnit.MINUTES);
            }
        });
    }

    /** Spark's scripts would look for its libraries in this folder, and so do its workers. */
    private static Path home(Path folder) throws IOException {
        Path home = Files.createDirectories(folder.resolve("home"));
        String first = System.getProperty("java.class.path").split(":", -1)[0];
        Files.createSymbolicLink(home.resolve("jars"), Path.of(first).toAbsolutePath().getParent());
        return home;
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Process start(Path home, String name, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow()));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "org.apache.spark.deploy." + name));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("SPARK_HOME", home.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        return builder.start();
    }

    private static SparkSession session(Path folder, int port) {
        var builder = SparkSession.builder().appName("load").master("spark://127.0.0.1:" + port)
                .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.ui.enabled", "false").config("spark.local.dir", folder.resolve("local").toString())
                .config("spark.sql.warehouse.dir", folder.resolve("warehouse").toString())
                .config("spark.executor.memory", "512m").config("spark.executor.cores", "1")
                // Memory of the system's malloc, which the preloaded library takes over; too little for a sort, so that it spills.
                .config("spark.memory.offHeap.enabled", "true").config("spark.memory.offHeap.size", "96m")
                .config("spark.scheduler.minRegisteredResourcesRatio", "1").config("spark.sql.shuffle.partitions", "4")
                .config("spark.sql.autoBroadcastJoinThreshold", "-1").config("spark.sql.adaptive.enabled", "false")
                .config("spark.sql.parquet.compression.codec", "zstd").config("spark.io.compression.codec", "zstd");
        String library = System.getenv("EXECUTOR_PRELOAD"), options = System.getenv("EXECUTOR_OPTIONS");
        if (library != null) builder.config("spark.executorEnv.LD_PRELOAD", library);
        if (options != null) {
            for (String option : options.split(" ", -1)) {
                String[] words = option.split("=", 2);
                if (words.length == 2) builder.config("spark.executorEnv." + words[0], words[1]);
            }
        }
        SparkSession spark = builder.getOrCreate();
        spark.sparkContext().addSparkListener(new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd end) {
                if (end.taskMetrics() != null) SPILLED.addAndGet(end.taskMetrics().diskBytesSpilled());
            }
        });
        return spark;
    }

    private static String obey(SparkSession spark, Path folder, String[] words) {
        return switch (words[0]) {
            // The driver counts as one of them.
            case "ready" -> spark.sparkContext().statusTracker().getExecutorInfos().length > WORKERS ? "ready" : "not yet";
            case "make" -> make(spark, folder, Long.parseLong(words[1]));
            case "query" -> query(spark, QUERIES.get(words[1]));
            case "spilled" -> "" + SPILLED.get();
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    /** Tables as TPC-H's, whose columns follow from their row's number. */
    private static String make(SparkSession spark, Path folder, long lines) {
        long orders = lines / LINES_OF_AN_ORDER, customers = orders / ORDERS_OF_A_CUSTOMER;
        table(spark, folder, "customer", customers, "id", "pmod(hash(id, 1), 5) segment", "sha1(string(id)) name");
        table(spark, folder, "orders", orders, "id", "pmod(hash(id, 2), " + customers + ") customer", "pmod(hash(id, 3), 2500) day");
        table(spark, folder, "line", lines, "id", "pmod(xxhash64(id, 4), " + orders + ") ordered", "pmod(hash(id, 5), 50) + 1 quantity",
                "pmod(hash(id, 6), 100000) price", "pmod(hash(id, 7), 11) discount", "pmod(hash(id, 8), 2500) day",
                "pmod(hash(id, 9), 3) flag", "pmod(hash(id, 10), 2) status",
                "concat(sha1(string(id)), repeat('x', pmod(hash(id, 11), 40))) comment");
        return "made";
    }

    private static void table(SparkSession spark, Path folder, String name, long rows, String... columns) {
        String file = folder.resolve("tables").resolve(name).toString();
        spark.range(0, rows, 1, 4).selectExpr(columns).write().parquet(file);
        spark.read().parquet(file).createOrReplaceTempView(name);
    }

    private static String query(SparkSession spark, String sql) {
        long sum = 0, count = 0;
        for (Row row : spark.sql(sql).collectAsList()) {
            sum = 31 * sum + row.toString().hashCode();
            count++;
        }
        return count + ":" + sum;
    }
}
