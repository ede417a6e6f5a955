package dev.mimalloc.services.engines;

import dev.mimalloc.ignite.MimallocMemoryAllocator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.ignite.Ignite;
import org.apache.ignite.IgniteCache;
import org.apache.ignite.IgniteDataStreamer;
import org.apache.ignite.Ignition;
import org.apache.ignite.cache.CacheWriteSynchronizationMode;
import org.apache.ignite.cache.query.SqlFieldsQuery;
import org.apache.ignite.cache.query.annotations.QuerySqlField;
import org.apache.ignite.configuration.CacheConfiguration;
import org.apache.ignite.configuration.DataRegionConfiguration;
import org.apache.ignite.configuration.DataStorageConfiguration;
import org.apache.ignite.configuration.IgniteConfiguration;
import org.apache.ignite.spi.communication.tcp.TcpCommunicationSpi;
import org.apache.ignite.spi.discovery.tcp.TcpDiscoverySpi;
import org.apache.ignite.spi.discovery.tcp.ipfinder.vm.TcpDiscoveryVmIpFinder;

/**
 * Three nodes of Apache Ignite, a process each. The first one starts the others and takes commands; each row is on two nodes, so that
 * one may die. Rows follow from their keys, so that what a query answers is the same in each run.
 */
public final class IgniteCluster {
    private static final int NODES = 3, BUCKETS = 1_000;
    private static final long REGION = 768L << 20, FIRST_SEGMENT = 32L << 20;

    /** A row; Ignite takes no records. */
    public static final class Row {
        @QuerySqlField(index = true)
        final int bucket;
        @QuerySqlField
        final long amount;
        @QuerySqlField
        final String text;

        Row(int key, int version) {
            var random = new SplittableRandom(31L * key + version);
            bucket = key % BUCKETS;
            amount = random.nextInt(1_000_000);
            text = "row " + key + " ".repeat(random.nextInt(900));
        }

        @Override
        public String toString() { return bucket + ":" + amount + ":" + text.length(); }
    }

    private IgniteCluster() {}

    /** Arguments: the port of the control, the folder, and for the other nodes the number of the node and the port of discovery. */
    public static void main(String[] args) throws Exception {
        if (args.length == 4) {
            start(args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]));
            System.in.read(); // until the first node ends, or this one is killed
            Runtime.getRuntime().halt(0);
        }
        int port = freePorts();
        Ignite ignite = start(args[1], 0, port);
        var others = new ArrayList<Process>();
        for (int i = 1; i < NODES; i++) others.add(other(args[0], args[1], i, port));
        Control.serve(Integer.parseInt(args[0]), words -> obey(ignite, others, words), () -> {
            for (Process other : others) {
                other.destroyForcibly().waitFor(1, TimeUnit.MINUTES);
            }
        });
    }

    private static Process other(String port, String folder, int number, int discovery) throws IOException {
        ProcessHandle.Info info = ProcessHandle.current().info();
        var command = new ArrayList<>(List.of(info.command().orElseThrow()));
        command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), IgniteCluster.class.getName(), port, folder,
                "" + number, "" + discovery));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** The first of three ports that were free just now, with three more 100 after them. */
    private static int freePorts() throws IOException {
        while (true) {
            var sockets = new ArrayList<ServerSocket>();
            try {
                InetAddress here = InetAddress.getLoopbackAddress();
                sockets.add(new ServerSocket(0, 1, here));
                int port = sockets.getFirst().getLocalPort();
                for (int other : new int[] {port + 1, port + 2, port + 100, port + 101, port + 102}) {
                    sockets.add(new ServerSocket(other, 1, here));
                }
                return port;
            } catch (IOException | IllegalArgumentException e) {
                // Somebody has one of them, or the number is too large: others may do.
            } finally {
                for (ServerSocket socket : sockets) socket.close();
            }
        }
    }

    private static Ignite start(String folder, int number, int port) {
        var addresses = new TcpDiscoveryVmIpFinder();
        addresses.setAddresses(List.of("127.0.0.1:" + port + ".." + (port + NODES - 1)));
        var region = new DataRegionConfiguration().setName("region").setInitialSize(FIRST_SEGMENT).setMaxSize(REGION)
                .setMetricsEnabled(true);
        if (isOurs()) region.setMemoryAllocator(new MimallocMemoryAllocator());
        return Ignition.start(new IgniteConfiguration().setIgniteInstanceName("node" + number).setConsistentId("node" + number)
                .setWorkDirectory(folder).setLocalHost("127.0.0.1").setMetricsLogFrequency(0).setPeerClassLoadingEnabled(false)
                .setDiscoverySpi(new TcpDiscoverySpi().setIpFinder(addresses).setLocalPort(port).setLocalPortRange(NODES))
                .setCommunicationSpi(new TcpCommunicationSpi().setLocalPort(port + 100).setLocalPortRange(NODES))
                .setDataStorageConfiguration(new DataStorageConfiguration().setDefaultDataRegionConfiguration(region)));
    }

    private static boolean isOurs() { return "ours".equals(System.getenv("IGNITE_ALLOCATOR")); }

    private static String obey(Ignite ignite, List<Process> others, String[] words) throws InterruptedException {
        return switch (words[0]) {
            case "ready" -> ignite.cluster().nodes().size() == NODES ? "ready" : "not yet";
            case "allocator" -> ignite.configuration().getDataStorageConfiguration().getDefaultDataRegionConfiguration()
                    .getMemoryAllocator() instanceof MimallocMemoryAllocator ? "ours" : "own";
            case "load" -> load(ignite, Integer.parseInt(words[1]));
            case "put" -> {
                int key = Integer.parseInt(words[1]);
                rows(ignite).put(key, new Row(key, Integer.parseInt(words[2])));
                yield "put";
            }
            case "get" -> "" + rows(ignite).get(Integer.parseInt(words[1]));
            case "remove" -> "" + rows(ignite).remove(Integer.parseInt(words[1]));
            case "kill" -> {
                others.getLast().destroyForcibly().waitFor();
                yield "killed";
            }
            case "size" -> "" + rows(ignite).size();
            case "nodes" -> "" + ignite.cluster().nodes().size();
            case "query" -> query(ignite, String.join(" ", List.of(words).subList(1, words.length)));
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private static IgniteCache<Integer, Row> rows(Ignite ignite) {
        return ignite.getOrCreateCache(new CacheConfiguration<Integer, Row>("rows").setBackups(1)
                .setIndexedTypes(Integer.class, Row.class)
                .setWriteSynchronizationMode(CacheWriteSynchronizationMode.FULL_SYNC));
    }

    private static String load(Ignite ignite, int count) {
        IgniteCache<Integer, Row> rows = rows(ignite);
        try (IgniteDataStreamer<Integer, Row> streamer = ignite.dataStreamer(rows.getName())) {
            for (int key = 0; key < count; key++) streamer.addData(key, new Row(key, 0));
        }
        return "loaded";
    }

    private static String query(Ignite ignite, String sql) {
        long sum = 0, count = 0;
        for (List<?> row : rows(ignite).query(new SqlFieldsQuery(sql)).getAll()) {
            sum = 31 * sum + row.hashCode();
            count++;
        }
        return count + ":" + sum;
    }
}
