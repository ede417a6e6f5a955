package dev.mimalloc.ignite.programs;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.ignite.MimallocMemoryAllocator;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.Serial;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.ignite.Ignite;
import org.apache.ignite.IgniteCache;
import org.apache.ignite.IgniteDataStreamer;
import org.apache.ignite.IgniteException;
import org.apache.ignite.Ignition;
import org.apache.ignite.cache.CacheWriteSynchronizationMode;
import org.apache.ignite.cache.query.SqlFieldsQuery;
import org.apache.ignite.cache.query.annotations.QuerySqlField;
import org.apache.ignite.cluster.ClusterState;
import org.apache.ignite.configuration.CacheConfiguration;
import org.apache.ignite.configuration.DataRegionConfiguration;
import org.apache.ignite.configuration.DataStorageConfiguration;
import org.apache.ignite.configuration.IgniteConfiguration;
import org.apache.ignite.internal.util.GridUnsafe;
import org.apache.ignite.mem.MemoryAllocator;
import org.apache.ignite.spi.communication.tcp.TcpCommunicationSpi;
import org.apache.ignite.spi.discovery.tcp.TcpDiscoverySpi;
import org.apache.ignite.spi.discovery.tcp.ipfinder.vm.TcpDiscoveryVmIpFinder;

/**
 * A node of a cluster on this machine. It takes commands from its input, a line each, and answers each with a line that
 * begins with {@code "= "}; it ends with its input.
 */
public final class Node {
    private static final int NODES = 3;
    private static final int BUCKETS = 100;

    /** A row, whose figures follow from its key, so that sums are known. Ignite takes no records. */
    public static final class Row {
        @QuerySqlField(index = true)
        final int bucket;
        @QuerySqlField
        final long amount;
        final String text;

        Row(int key) {
            bucket = key % BUCKETS;
            amount = 7L * key;
            text = "row " + key + " ".repeat(ThreadLocalRandom.current().nextInt(400));
        }
    }

    /** Memory as a process may have it that has used it before. */
    private static final class Dirty implements MemoryAllocator, Serializable {
        @Serial
        private static final long serialVersionUID = 1;

        private final MimallocMemoryAllocator allocator = new MimallocMemoryAllocator();

        @Override
        public long allocateMemory(long size) {
            long address = allocator.allocateMemory(size);
            GridUnsafe.setMemory(address, size, (byte) 0xA5);
            return address;
        }

        @Override
        public void freeMemory(long address) { allocator.freeMemory(address); }
    }

    private Node() {}

    /**
     * Arguments: the node's name, the first of three ports of discovery, the work folder, {@code ours}, {@code
     * dirty} or {@code own} for the allocator, {@code memory} or {@code disk} for what holds the data, and a region's MiB.
     */
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[1]);
        var addresses = new TcpDiscoveryVmIpFinder();
        addresses.setAddresses(List.of("127.0.0.1:" + port + ".." + (port + NODES - 1)));
        MemoryAllocator allocator = switch (args[3]) {
            case "ours" -> new MimallocMemoryAllocator();
            case "dirty" -> new Dirty();
            default -> null;
        };
        var region = new DataRegionConfiguration().setName("region").setInitialSize(32 << 20)
                .setMaxSize(Long.parseLong(args[5]) << 20).setPersistenceEnabled(args[4].equals("disk"))
                .setMetricsEnabled(true);
        if (allocator != null) region.setMemoryAllocator(allocator);
        var configuration = new IgniteConfiguration().setIgniteInstanceName(args[0]).setConsistentId(args[0])
                .setWorkDirectory(args[2]).setLocalHost("127.0.0.1").setMetricsLogFrequency(0)
                .setPeerClassLoadingEnabled(false)
                .setDiscoverySpi(new TcpDiscoverySpi().setIpFinder(addresses).setLocalPort(port)
                        .setLocalPortRange(NODES))
                .setCommunicationSpi(new TcpCommunicationSpi().setLocalPort(port + 100).setLocalPortRange(NODES))
                .setDataStorageConfiguration(new DataStorageConfiguration().setDefaultDataRegionConfiguration(region));
        try (Ignite ignite = start(configuration)) {
            answer("started");
            var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                try {
                    answer(obey(ignite, line.split(" ")));
                } catch (RuntimeException e) {
                    e.printStackTrace();
                    answer("failed: " + e);
                }
            }
        }
        Mimalloc.collect(true);
        answer("in use: " + Mimalloc.used());
    }

    private static Ignite start(IgniteConfiguration configuration) {
        try {
            return Ignition.start(configuration);
        } catch (IgniteException e) {
            e.printStackTrace();
            System.exit(1); // some of Ignite's threads would keep the process alive
            throw e;
        }
    }

    private static void answer(String line) {
        System.out.println("= " + line);
        System.out.flush();
    }

    private static String obey(Ignite ignite, String[] words) {
        return switch (words[0]) {
            case "activate" -> {
                ignite.cluster().state(ClusterState.ACTIVE);
                yield "active";
            }
            case "nodes" -> "" + ignite.cluster().nodes().size();
            case "load" -> load(ignite, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
            case "put" -> put(ignite, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
            case "remove" -> remove(ignite, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
            case "size" -> "" + rows(ignite).size();
            case "sum" -> sum(ignite);
            case "used" -> "" + Mimalloc.used();
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private static IgniteCache<Integer, Row> rows(Ignite ignite) {
        return ignite.getOrCreateCache(new CacheConfiguration<Integer, Row>("rows").setBackups(1)
                .setIndexedTypes(Integer.class, Row.class)
                .setWriteSynchronizationMode(CacheWriteSynchronizationMode.FULL_SYNC));
    }

    private static String load(Ignite ignite, int from, int to) {
        IgniteCache<Integer, Row> rows = rows(ignite);
        try (IgniteDataStreamer<Integer, Row> streamer = ignite.dataStreamer(rows.getName())) {
            for (int key = from; key < to; key++) streamer.addData(key, new Row(key));
        }
        return "loaded";
    }

    /** Row by row: each is there for good when the next one is begun, whoever dies. */
    private static String put(Ignite ignite, int from, int to) {
        IgniteCache<Integer, Row> rows = rows(ignite);
        for (int key = from; key < to; key++) rows.put(key, new Row(key));
        return "put";
    }

    private static String remove(Ignite ignite, int from, int to) {
        IgniteCache<Integer, Row> rows = rows(ignite);
        for (int key = from; key < to; key++) rows.remove(key);
        return "removed";
    }

    private static String sum(Ignite ignite) {
        var query = new SqlFieldsQuery("select count(amount), sum(amount), count(distinct bucket) from Row");
        List<?> row = rows(ignite).query(query).getAll().getFirst();
        return row.get(0) + " " + row.get(1) + " " + row.get(2);
    }
}
