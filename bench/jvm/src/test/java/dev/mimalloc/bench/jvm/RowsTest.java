package dev.mimalloc.bench.jvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.mimalloc.bench.jvm.cases.Case;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** What the rows name is there, and each benchmark runs. */
class RowsTest {
    private static List<BenchmarkListEntry> benchmarks() {
        var format = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
        return List.copyOf(BenchmarkList.defaultList().getAll(format, List.of()));
    }

    @Test
    void theRowsNameWhatIsThere() {
        for (Row row : Rows.all()) {
            for (Contender contender : row.contenders()) {
                assertThat(benchmarks()).anySatisfy(entry -> {
                    assertThat(entry.getUsername()).isEqualTo(contender.benchmark());
                    var parameters = entry.getParams().orElse(Map.of());
                    assertThat(parameters.keySet()).isEqualTo(contender.parameters().keySet());
                    contender.parameters().forEach((name, value) -> assertThat(parameters.get(name)).contains(value));
                });
            }
        }
    }

    @Test
    void noBenchmarkIsForgotten() {
        var named = new TreeSet<String>();
        for (Row row : Rows.all()) row.contenders().forEach(contender -> named.add(contender.benchmark()));
        assertThat(benchmarks()).extracting(BenchmarkListEntry::getUsername).isSubsetOf(named);
    }

    @Test
    void theQuickGoalsAreGoals() {
        assertThat(Rows.goals(true)).isNotEmpty().isSubsetOf(Rows.goals(false)).allMatch(Row::hasGoal);
        assertThat(Rows.all()).containsAll(Rows.goals(false));
    }

    /** Each once, in this process, with the first of its parameters that needs no library. */
    @TestFactory
    Stream<DynamicTest> eachRuns() {
        return benchmarks().stream().filter(entry -> !entry.getUsername().matches(".*\\.c(Mimalloc|Loop)"))
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getUsername().substring(Case.class.getPackageName().length() + 1), () -> run(entry)));
    }

    private static void run(BenchmarkListEntry entry) {
        TimeValue moment = TimeValue.milliseconds(5);
        var options = new OptionsBuilder().include("^" + entry.getUsername().replace(".", "\\.") + "$").forks(0)
                .warmupIterations(0).measurementIterations(1).measurementTime(moment).shouldDoGC(false)
                .shouldFailOnError(true).verbosity(VerboseMode.SILENT);
        entry.getParams().orElse(Map.of()).forEach((name, values) -> {
            var usable = new ArrayList<>(List.of(values));
            usable.remove("c"); // a library that may not be there
            options.param(name, name.equals("live") || name.equals("size") ? usable.subList(0, 1).toArray(String[]::new)
                    : usable.toArray(String[]::new));
        });
        assertThatCode(() -> assertThat(new Runner(options.build()).run()).isNotEmpty()).doesNotThrowAnyException();
    }
}
