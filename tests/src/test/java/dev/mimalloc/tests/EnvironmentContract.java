package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.base.Options;
import dev.mimalloc.machine.Text;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Options that come from the environment, and what is printed at the end. */
@Tag("processes")
abstract class EnvironmentContract extends Contract {
    EnvironmentContract(Allocator allocator) { super(allocator); }

    private Properties options(String... namesAndValues) throws Exception {
        var environment = new TreeMap<String, String>();
        for (int i = 0; i < namesAndValues.length; i += 2) environment.put(namesAndValues[i], namesAndValues[i + 1]);
        var options = new Properties();
        var child = Child.scenario(allocator, Scenario.PRINT_OPTIONS, environment).assertSuccess();
        options.load(new StringReader(child.out()));
        return options;
    }

    private static void assertOption(Properties options, int option, long value) {
        assertThat(options.getProperty(option + "")).as("option %d", option).isEqualTo(value + "");
    }

    @Test
    void defaults() throws Exception {
        var options = options();
        assertOption(options, Options.SHOW_ERRORS, 0);
        assertOption(options, Options.SHOW_STATS, 0);
        assertOption(options, Options.VERBOSE, 0);
        assertOption(options, Options.ARENA_EAGER_COMMIT, 2);
        assertOption(options, Options.PURGE_DECOMMITS, 1);
        assertOption(options, Options.ALLOW_LARGE_OS_PAGES, 0);
        assertOption(options, Options.PURGE_DELAY, 1000);
        assertOption(options, Options.MAX_ERRORS, 32);
        assertOption(options, Options.MAX_WARNINGS, 32);
        assertOption(options, Options.ARENA_RESERVE, 1 << 20);
        assertOption(options, Options.ARENA_PURGE_MULT, 1);
        assertOption(options, Options.DISALLOW_ARENA_ALLOC, 0);
        assertOption(options, Options.GENERIC_COLLECT, 10_000);
        assertOption(options, Options.PAGE_RECLAIM_ON_FREE, 0);
        assertOption(options, Options.PAGE_FULL_RETAIN, 2);
        assertOption(options, Options.PAGE_MAX_CANDIDATES, 4);
        assertOption(options, Options.PAGE_MAX_RECLAIM, -1);
        assertOption(options, Options.PAGE_CROSS_THREAD_MAX_RECLAIM, 32);
        assertOption(options, Options.ALLOW_THP, 1);
    }

    @Test
    void valuesAreNumbersSwitchesAndSizes() throws Exception {
        var options = options("MIMALLOC_PURGE_DELAY", "77", "MIMALLOC_PAGE_MAX_RECLAIM", "-5",
                "MIMALLOC_VERBOSE", "off", "MIMALLOC_PURGE_DECOMMITS", "no", "MIMALLOC_ALLOW_THP", "FALSE",
                "MIMALLOC_DISALLOW_ARENA_ALLOC", "true", "MIMALLOC_ARENA_RESERVE", "256MiB",
                "MIMALLOC_ARENA_MAX_OBJECT_SIZE", "3g", "MIMALLOC_SHOW_ERRORS", "On");
        assertOption(options, Options.PURGE_DELAY, 77);
        assertOption(options, Options.PAGE_MAX_RECLAIM, -5);
        assertOption(options, Options.VERBOSE, 0);
        assertOption(options, Options.PURGE_DECOMMITS, 0);
        assertOption(options, Options.ALLOW_THP, 0);
        assertOption(options, Options.DISALLOW_ARENA_ALLOC, 1);
        assertOption(options, Options.ARENA_RESERVE, 256 << 10);
        assertOption(options, Options.ARENA_MAX_OBJECT_SIZE, 3 << 20);
        assertOption(options, Options.SHOW_ERRORS, 1);
    }

    @Test
    void namesInAnyCaseAndFromEarlierVersions() throws Exception {
        var options = options("mimalloc_purge_delay", "12", "MIMALLOC_RESET_DECOMMITS", "0",
                "MIMALLOC_LARGE_OS_PAGES", "1");
        assertOption(options, Options.PURGE_DELAY, 12);
        assertOption(options, Options.PURGE_DECOMMITS, 0);
        assertOption(options, Options.ALLOW_LARGE_OS_PAGES, 1);
    }

    @Test
    void whatIsNoValueLeavesTheDefault() throws Exception {
        var options = options("MIMALLOC_PURGE_DELAY", "soon", "MIMALLOC_PAGE_FULL_RETAIN", "2x",
                "MIMALLOC_ARENA_RESERVE", "12Q", "MIMALLOC_MAX_ERRORS", "99999999999999999999999999",
                "MIMALLOC_PAGE_MAX_CANDIDATES", "-", "MIMALLOC_GENERIC_COLLECT", "1 000",
                "MIMALLOC_MAX_WARNINGS", "a value".repeat(100));
        assertOption(options, Options.PURGE_DELAY, 1000);
        assertOption(options, Options.PAGE_FULL_RETAIN, 2);
        assertOption(options, Options.ARENA_RESERVE, 1 << 20);
        assertOption(options, Options.MAX_ERRORS, 32);
        assertOption(options, Options.PAGE_MAX_CANDIDATES, 4);
        assertOption(options, Options.GENERIC_COLLECT, 10_000);
        assertOption(options, Options.MAX_WARNINGS, 32);
    }

    @Test
    void aWrongValueIsNamedWhenErrorsAreShown() throws Exception {
        var child = Child.scenario(allocator, Scenario.SOME_BLOCKS,
                Map.of("MIMALLOC_PURGE_DELAY", "soon", "MIMALLOC_SHOW_ERRORS", "1")).assertSuccess();
        assertThat(child.err()).containsIgnoringCase("purge_delay");
    }

    @Test
    void whatIsBeyondItsLimitsIsNamedAtOnce() throws Exception {
        var child = Child.scenario(allocator, Scenario.SOME_BLOCKS, Map.of("MIMALLOC_PURGE_DELAY", "-5",
                "MIMALLOC_USE_NUMA_NODES", "99999999999", "MIMALLOC_ARENA_RESERVE", "2T",
                "MIMALLOC_PAGE_FULL_RETAIN", "-1", "MIMALLOC_PURGE_DECOMMITS", "-1")).assertSuccess();
        assertThat(child.err().lines()).hasSize(3).allMatch(line -> line.startsWith("mimalloc: warning: "))
                .anyMatch(line -> line.contains("MIMALLOC_PURGE_DELAY"))
                .anyMatch(line -> line.contains("MIMALLOC_USE_NUMA_NODES"))
                .anyMatch(line -> line.contains("MIMALLOC_ARENA_RESERVE"));
    }

    @Test
    void aNameThatIsNoOptionIsNamedAtOnce() throws Exception {
        var child = Child.scenario(allocator, Scenario.SOME_BLOCKS, Map.of("MIMALLOC_PURGE_DELY", "5",
                "mimalloc_purge_delay", "5", "MIMALLOC_RESET_DELAY", "5",
                "MIMALLOC_" + "LONG".repeat(100), "1")).assertSuccess();
        assertThat(child.out()).isEqualTo("done\n");
        assertThat(child.err().lines()).hasSize(2).allMatch(line -> line.startsWith("mimalloc: warning: "))
                .anyMatch(line -> line.contains("MIMALLOC_PURGE_DELY")).anyMatch(line -> line.contains("MIMALLOC_LONGLONG"));
    }

    /** All numbers at once: as small, as large, and as much beyond that as can be. */
    @Test
    void theAllocatorWorksWithAbsurdNumbers() throws Exception {
        List<String> names = IntStream.range(0, Options.COUNT).filter(i -> Options.kind(i) != Options.SWITCH)
                .mapToObj(i -> Text.string(Options.name(i))).toList();
        for (String value : new String[] {"0", "-1", "99999999999", Long.MAX_VALUE + "", Long.MIN_VALUE + "",
                "9".repeat(40), "-" + "9".repeat(40)}) {
            var environment = new TreeMap<String, String>();
            for (String name : names) environment.put(name, value);
            Child.scenario(allocator, Scenario.SOME_BLOCKS, environment).assertSuccess();
        }
    }

    /** How many of 400 blocks lie in the only arena with room, which belongs to a node. The thread runs on node 0. */
    private int blocksOfNode(int node, String... names) throws Exception {
        var environment = new TreeMap<String, String>();
        environment.put("NODE", node + "");
        environment.put("MIMALLOC_USE_NUMA_NODES", "1");
        for (String name : names) environment.put(name, "1");
        var child = Child.scenario(allocator, Scenario.BLOCKS_AND_THE_ARENA_OF_A_NODE, environment).assertSuccess();
        return Integer.parseInt(child.out().replaceAll("(?s).*inside=(\\d+).*", "$1"));
    }

    @Test
    void arenasOfOtherNodesComeLastIfTheOptionSaysSo() throws Exception {
        String local = "MIMALLOC_ARENA_IS_NUMA_LOCAL";
        assertThat(blocksOfNode(7)).as("nodes do not matter").isPositive();
        assertThat(blocksOfNode(7, local)).as("another node's arena").isZero();
        assertThat(blocksOfNode(7, local, "MIMALLOC_DISALLOW_OS_ALLOC")).as("there is no other arena").isPositive();
        assertThat(blocksOfNode(0, local)).as("the node's own arena").isPositive();
        assertThat(blocksOfNode(-1, local)).as("no node's arena").isPositive();
    }

    @Test
    void silentUnlessAsked() throws Exception {
        var child = Child.scenario(allocator, Scenario.SOME_BLOCKS, Map.of()).assertSuccess();
        assertThat(child.out()).isEqualTo("done\n");
        assertThat(child.err()).isEmpty();
    }

    @Test
    void statisticsAtExit() throws Exception {
        var child = Child.scenario(allocator, Scenario.SOME_BLOCKS, Map.of("MIMALLOC_SHOW_STATS", "1")).assertSuccess();
        assertThat(child.out()).isEqualTo("done\n");
        assertThat(child.err()).contains("reserved", "committed", "pages", "threads", "heaps", "arenas", "elapsed");
    }

    @Test
    void verboseSaysWhatItRunsWith() throws Exception {
        var child = Child.scenario(allocator, Scenario.SOME_BLOCKS, Map.of("MIMALLOC_VERBOSE", "1")).assertSuccess();
        assertThat(child.err()).containsIgnoringCase("purge_delay");
    }

    @Test
    void theAllocatorWorksWithExtremeOptions() throws Exception {
        String[][] options = {{"PURGE_DELAY", "0"}, {"PURGE_DELAY", "-1"}, {"ARENA_EAGER_COMMIT", "0"},
                {"ARENA_EAGER_COMMIT", "1"}, {"PURGE_DECOMMITS", "0"}, {"DISALLOW_ARENA_ALLOC", "1"},
                {"ARENA_RESERVE", "1M"},
                {"ARENA_RESERVE", "0"}, {"PAGE_FULL_RETAIN", "0"}, {"PAGE_RECLAIM_ON_FREE", "1"},
                {"PAGE_RECLAIM_ON_FREE", "-1"}, {"ALLOW_THP", "0"}, {"ALLOW_LARGE_OS_PAGES", "1"},
                {"GENERIC_COLLECT", "1"},
                {"PAGE_MAX_CANDIDATES", "1"}, {"PAGE_COMMIT_ON_DEMAND", "1"}};
        for (String[] option : options) {
            var environment = Map.of("MIMALLOC_" + option[0], option[1]);
            Child.scenario(allocator, Scenario.ALL_IS_FREED, environment).assertSuccess();
        }
    }
}
