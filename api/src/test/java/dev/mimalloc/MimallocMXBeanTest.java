package dev.mimalloc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mimalloc.leaks.Keeper;
import dev.mimalloc.machine.Trace;
import dev.mimalloc.profiles.Pprof;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.management.Attribute;
import javax.management.JMX;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import javax.management.RuntimeMBeanException;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXConnectorServer;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All through a connection, as JConsole has it: what comes over the wire is open types. */
class MimallocMXBeanTest {
    private static JMXConnectorServer server;
    private static JMXConnector connector;
    private static MBeanServerConnection connection;
    private static ObjectName name;

    @BeforeAll
    @SuppressWarnings("BanJNDI") // the server is our own
    static void connect() throws Exception {
        Management.register();
        name = new ObjectName(MimallocMXBean.OBJECT_NAME);
        server = JMXConnectorServerFactory.newJMXConnectorServer(new JMXServiceURL("rmi", "localhost", 0), null,
                ManagementFactory.getPlatformMBeanServer());
        server.start();
        connector = JMXConnectorFactory.connect(server.getAddress());
        connection = connector.getMBeanServerConnection();
    }

    @AfterAll
    static void disconnect() throws Exception {
        connector.close();
        server.stop();
        Management.unregister();
        assertThat(ManagementFactory.getPlatformMBeanServer().isRegistered(name)).isFalse();
        Management.unregister();
    }

    @Test
    void statisticsAreComposite() throws Exception {
        Heap heap = Heap.create();
        long before = mallocNormal("current");
        for (int i = 0; i < 1000; i++) heap.malloc(4096);
        assertThat(mallocNormal("current")).isGreaterThanOrEqualTo(before + 1000 * 4096);
        assertThat(mallocNormal("peak")).isGreaterThanOrEqualTo(before + 1000 * 4096);
        heap.close();
        assertThat(mallocNormal("current")).isLessThan(before + 1000 * 4096);

        var statistics = (CompositeData) connection.getAttribute(name, "Statistics");
        var bins = (CompositeData[]) statistics.get("bins");
        assertThat(Arrays.stream(bins).map(bin -> bin.get("blockSize"))).contains(4096L);
        assertThat(statistics.get("mmapCalls")).isInstanceOf(Long.class);
        assertThat(((CompositeData) statistics.get("chunks")).containsKey("small")).isTrue();
    }

    private static long mallocNormal(String part) throws Exception {
        var statistics = (CompositeData) connection.getAttribute(name, "Statistics");
        return (long) ((CompositeData) statistics.get("mallocNormal")).get(part);
    }

    @Test
    void aClientThatHasTheInterfaceGetsRecords() {
        MimallocMXBean bean = JMX.newMXBeanProxy(connection, name, MimallocMXBean.class);
        assertThat(bean.getVersion()).isEqualTo(Mimalloc.version());
        Statistics statistics = bean.getStatistics();
        assertThat(statistics.heaps().current()).isPositive();
        assertThat(statistics.bins()).hasSameSizeAs(Mimalloc.statistics().bins());
        assertThat(bean.getProcess().peakResident()).isPositive();
        assertThat(bean.statisticsAsText()).contains("in blocks");
        assertThat(bean.statisticsAsJson()).startsWith("{").contains("\"malloc_normal\"");
        assertThatIllegalArgumentException().isThrownBy(() -> bean.setOption("VERBOSE", 2))
                .withMessage("VERBOSE cannot be 2, only 0 to 1");
    }

    @Test
    void optionsAreReadAndSet() throws Exception {
        var options = (TabularData) connection.getAttribute(name, "Options");
        assertThat(options.size()).isEqualTo(Option.values().length);
        assertThat(options.get(new Object[] {"PAGE_FULL_RETAIN"}).get("value")).isEqualTo(Option.PAGE_FULL_RETAIN.get());
        assertThat(invoke("option", new String[] {"java.lang.String"}, "PURGE_DELAY"))
                .isEqualTo(Option.PURGE_DELAY.get());
        long before = Option.MAX_ERRORS.get();
        invoke("setOption", new String[] {"java.lang.String", "long"}, "MAX_ERRORS", 17L);
        assertThat(Option.MAX_ERRORS.get()).isEqualTo(17);
        Option.MAX_ERRORS.set(before);
        assertThatThrownBy(() -> invoke("option", new String[] {"java.lang.String"}, "NO_SUCH"))
                .isInstanceOf(RuntimeMBeanException.class).hasCauseInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> connection.setAttribute(name, new Attribute("Options", Map.of())))
                .isInstanceOf(javax.management.AttributeNotFoundException.class);
        assertThatThrownBy(() -> invoke("noSuchOperation", new String[0])).isInstanceOf(ReflectionException.class);
    }

    @Test
    void collectAndResetDoTheirWork() throws Exception {
        // Freed by a thread that has ended, so that nobody holds it.
        Thread thread = Thread.ofPlatform().start(() -> {
            long block = Mimalloc.zalloc(40 << 20);
            Mimalloc.free(block);
        });
        thread.join();
        invoke("collect", new String[] {"boolean"}, true);
        assertThat(Mimalloc.statistics().purgeCalls()).isPositive();
        invoke("resetStatistics", new String[0]);
        var statistics = (CompositeData) connection.getAttribute(name, "Statistics");
        var heaps = (CompositeData) statistics.get("heaps");
        assertThat(heaps.get("peak")).isEqualTo(heaps.get("current"));
        assertThat((long) statistics.get("mallocHugeCount")).isZero();
    }

    private static Object invoke(String operation, String[] signature, Object... arguments) throws Exception {
        return connection.invoke(name, operation, arguments, signature);
    }

    @Test
    void onlyWhatTheInterfaceSaysIsThere() throws Exception {
        MBeanInfo info = connection.getMBeanInfo(name);
        assertThat(names(info.getAttributes()))
                .containsExactlyInAnyOrder("Version", "Statistics", "Limit", "Used", "Refusals", "Heaps", "Process", "Options",
                        "Profiling");
        assertThat(names(info.getOperations())).containsExactlyInAnyOrder("option", "setOption", "collect",
                "resetStatistics", "statisticsAsText", "statisticsAsJson", "writeDump", "startProfile", "writeProfile", "stopProfile");
    }

    @Test
    void aClientIsToldWhatEverythingMeans() throws Exception {
        MBeanInfo info = connection.getMBeanInfo(name);
        assertThat(info.getDescription()).contains("allocator");
        assertThat(info.getAttributes()).allMatch(a -> a.getDescription().contains(" "));
        assertThat(info.getOperations()).allMatch(o -> o.getDescription().contains(" "));
        var parameters = Arrays.stream(info.getOperations()).flatMap(o -> Arrays.stream(o.getSignature())).toList();
        assertThat(parameters).extracting(MBeanFeatureInfo::getName)
                .containsExactlyInAnyOrder("name", "name", "value", "force", "bytesPerSample", "path", "path");
        assertThat(parameters).allMatch(p -> p.getDescription().contains(" "));
    }

    private static List<String> names(MBeanFeatureInfo[] features) {
        return Arrays.stream(features).map(MBeanFeatureInfo::getName).toList();
    }

    @Test
    void aProfileIsStartedWrittenAndStopped(@TempDir Path folder) throws Exception {
        MimallocMXBean bean = JMX.newMXBeanProxy(connection, name, MimallocMXBean.class);
        Path file = folder.resolve("heap.pb.gz");
        assertThat(bean.isProfiling()).isFalse();
        bean.stopProfile(); // there is none: nothing happens
        assertThatIllegalArgumentException().isThrownBy(() -> bean.startProfile(-1))
                .withMessage("bytesPerSample is not positive: -1");
        bean.startProfile(1024);
        assertThat(bean.isProfiling()).isTrue();
        assertThatIllegalStateException().isThrownBy(() -> bean.startProfile(0))
                .withMessage("a profile is running already");
        List<Long> blocks = new ArrayList<>();
        Keeper.keep(blocks, 5000, 100);
        bean.writeProfile(file.toString());
        assertThat(Pprof.read(file).inUseBytes("Keeper.keep")).isBetween(300_000L, 900_000L);
        assertThat(Pprof.read(file).period()).isEqualTo(1024);
        assertThatThrownBy(() -> bean.writeProfile(file.toString())).isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString()).hasMessageContaining("FileAlreadyExists");
        bean.stopProfile();
        assertThat(bean.isProfiling()).isFalse();
        blocks.forEach(Mimalloc::free);
        bean.writeProfile(folder.resolve("later").toString());
        assertThat(Pprof.read(folder.resolve("later")).inUseBytes("Keeper.keep")).isBetween(300_000L, 900_000L);
        bean.startProfile(0); // a new one, that knows nothing of the other
        bean.writeProfile(folder.resolve("new").toString());
        assertThat(Pprof.read(folder.resolve("new")).period()).isEqualTo(512 << 10);
        Management.unregister();
        Management.register();
        assertThat(bean.isProfiling()).isFalse();
        assertThat(Trace.sampleInterval()).as("it has ended with its MBean").isZero();
        assertThatIllegalStateException().isThrownBy(() -> bean.writeProfile(folder.resolve("none").toString()))
                .withMessage("no profile was started");
    }

    @Test
    void aDumpIsANewFile(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("heap.json");
        invoke("writeDump", new String[] {"java.lang.String"}, file.toString());
        String text = Files.readString(file);
        assertThat(text).startsWith("{\"mimalloc_dump\": 1, \"process\": " + ProcessHandle.current().pid() + ",").endsWith("}\n");
        MimallocMXBean bean = JMX.newMXBeanProxy(connection, name, MimallocMXBean.class);
        assertThatThrownBy(() -> bean.writeDump(file.toString())).isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString()).hasMessageContaining("FileAlreadyExists");
        assertThat(file).hasContent(text);
    }

    @Test
    void registeringTwiceIsFine() throws Exception {
        Management.register();
        assertThat(connection.isRegistered(name)).isTrue();
    }

    /** In a JVM of its own: the property is looked at once. */
    @Test
    void thePropertyRegistersIt() throws Exception {
        for (String value : List.of("true", "false")) {
            Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java",
                    "-Ddev.mimalloc.jmx=" + value, "--enable-native-access=ALL-UNNAMED", "-cp", classPath(),
                    Registered.class.getName()).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(output.strip().lines().toList()).last().isEqualTo(value);
        }
    }

    private static String classPath() throws Exception {
        return String.join(System.getProperty("path.separator"), place(Registered.class), place(Mimalloc.class),
                place(dev.mimalloc.core.base.Options.class));
    }

    private static String place(Class<?> cls) throws Exception {
        return java.nio.file.Path.of(cls.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    /** Prints whether the MBean is there once the allocator has been used. */
    static final class Registered {
        private Registered() {}

        public static void main(String[] args) throws Exception {
            Mimalloc.free(Mimalloc.malloc(10));
            System.out.println(ManagementFactory.getPlatformMBeanServer()
                    .isRegistered(new ObjectName(MimallocMXBean.OBJECT_NAME)));
        }
    }

    @Test
    void limitsAndRefusalsAreShown() throws Exception {
        try (Heap heap = Heap.create("pictures")) {
            heap.limit(2 << 20);
            long before = (long) connection.getAttribute(name, "Refusals");
            assertThatThrownBy(() -> heap.malloc(9 << 20)).isInstanceOf(OutOfMemoryError.class);
            assertThat(connection.getAttribute(name, "Refusals")).isEqualTo(before + 1);
            assertThat(connection.getAttribute(name, "Limit")).isEqualTo(Mimalloc.limit());
            assertThat((long) connection.getAttribute(name, "Used")).isNotNegative();
            var heaps = List.of((CompositeData[]) connection.getAttribute(name, "Heaps"));
            assertThat(heaps.getFirst().get("name")).isEqualTo("main");
            var ours = heaps.stream().filter(h -> h.get("name").equals("pictures")).toList().getFirst();
            assertThat(ours.get("number")).isEqualTo(heap.number());
            assertThat(ours.get("limit")).isEqualTo(2L << 20);
            assertThat(ours.get("refusals")).isEqualTo(1L);
            assertThat(heap).hasToString("heap " + heap.number() + " (pictures)");
        }
        var open = List.of((CompositeData[]) connection.getAttribute(name, "Heaps"));
        assertThat(open).noneMatch(h -> h.get("name").equals("pictures"));
    }
}
