package dev.mimalloc.library;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.library.MisuseProgram.Case;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each way to misuse memory comes to what the table says, in each mode: no less, and no more. With
 * {@code -Dmimalloc.write=true} the table is written anew, and docs/security.md, which follows from it.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MisuseTest {
    private static final Path TABLE = Path.of("src/test/misuse/misuse.tsv");
    private static final Path PAGE = Path.of("../docs/security.md");
    private static final Path README = Path.of("../README.md");
    private static final boolean WRITE = Boolean.getBoolean("mimalloc.write");
    /** As often a case runs when the table is written, so that what chance decides shows. */
    private static final int RUNS = 10;

    @TempDir
    private static Path folder;

    private static MisuseProgram program;
    private static MisuseTable table;

    @BeforeAll
    static void compile() throws Exception {
        program = MisuseProgram.compile(folder);
        table = MisuseTable.read(TABLE);
    }

    static List<Mode> ours() { return Mode.OURS; }

    private static List<String> columns() throws Exception {
        var columns = new ArrayList<String>();
        for (Mode mode : Mode.OURS) columns.add(mode.column());
        for (Mode mode : Mode.PEERS) {
            // One that is not here has the column of another day.
            String known = table.modes().stream().filter(c -> MisuseTable.product(c).equals(mode.name())).findFirst().orElse("");
            String column = WRITE && mode.isThere() ? mode.column() : known;
            if (!column.isEmpty()) columns.add(column);
        }
        return columns;
    }

    @Test
    @Order(1)
    void theTableHasEachCaseAndEachMode() throws Exception {
        if (WRITE) {
            table.setCases(program.cases());
            table.setModes(columns());
        }
        assertThat(table.cases()).as("cases; -Dmimalloc.write=true writes them").isEqualTo(program.cases());
        assertThat(table.modes()).as("modes; -Dmimalloc.write=true writes them").isEqualTo(columns());
        if (!WRITE) assertThat(table.text()).as("as it is written").isEqualTo(Files.readString(TABLE));
    }

    @ParameterizedTest
    @MethodSource("ours")
    @Order(2)
    void comesToWhatTheTableSays(Mode mode) throws Exception {
        assertThat(mode.isThere()).as("./mimalloc build makes it").isTrue();
        if (WRITE) {
            measure(mode);
            return;
        }
        Mode ready = mode.ready();
        Map<Case, String> wrong = wrong(program.run(ready), mode);
        // Where blocks lie in random order chance decides what a long write hits, and not each outcome came when the table was
        // written: what is really amiss comes out so each time.
        for (int i = 0; i < RUNS && !wrong.isEmpty(); i++) wrong.keySet().retainAll(wrong(program.run(ready), mode).keySet());
        assertThat(wrong.values()).as("in mode %s; -Dmimalloc.write=true writes the table anew", mode).isEmpty();
    }

    /** What came out in another way than the table says. */
    private static Map<Case, String> wrong(Map<Case, Outcome> outcomes, Mode mode) {
        var wrong = new LinkedHashMap<Case, String>();
        outcomes.forEach((one, outcome) -> {
            Set<Outcome> expected = table.outcomes(one, mode.name());
            if (expected.contains(outcome)) return;
            wrong.put(one, "%s %s: %s, and not %s".formatted(one.name(), one.size(), outcome.word(), expected));
        });
        return wrong;
    }

    private static void measure(Mode mode) throws Exception {
        Mode ready = mode.ready();
        Map<Case, Set<Outcome>> all = new LinkedHashMap<>();
        for (int i = 0; i < RUNS; i++) {
            program.run(ready).forEach((one, outcome) -> all.computeIfAbsent(one, c -> EnumSet.noneOf(Outcome.class)).add(outcome));
        }
        for (var one : all.entrySet()) table.set(one.getKey(), mode.column(), one.getValue());
    }

    @Test
    @Order(3)
    void thePageIsThatOfTheTable() throws Exception {
        if (WRITE) {
            for (Mode peer : Mode.PEERS) if (peer.isThere() && !table.isComplete(peer.column())) measure(peer);
            table.write();
            Files.writeString(PAGE, new SecurityPage(table).fill(Files.readString(PAGE)));
            Files.writeString(README, new SecurityPage(table).fillReadme(Files.readString(README)));
        }
        assertThat(Files.readString(PAGE)).as("-Dmimalloc.write=true writes it")
                .isEqualTo(new SecurityPage(table).fill(Files.readString(PAGE)));
        assertThat(Files.readString(README)).isEqualTo(new SecurityPage(table).fillReadme(Files.readString(README)));
    }

    /** What cannot be missed by any allocator is refused, also by a library that finds nothing else. */
    @Test
    void nothingImpossibleIsGranted() {
        Stream<Case> requests = table.cases().stream().filter(one -> one.group().equals("impossible requests"));
        assertThat(requests).isNotEmpty().allSatisfy(one -> {
            for (Mode mode : Mode.OURS) assertThat(table.worst(one, mode.name()).isCovered()).isTrue();
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
            "0; misuse: now|misuse: done|misuse: missed; missed",
            "0; misuse: now|misuse: done|misuse: absent; absent",
            "0; misuse: now|mimalloc: error: x|misuse: done|misuse: missed; reported",
            "0; misuse: now|mimalloc: error: too large|misuse: done|misuse: refused; prevented",
            "139; misuse: now; stopped",
            "139; misuse: now|misuse: done; crashed",
            "139; misuse: now|misuse: done|mimalloc: error: x; stopped",
            "134; misuse: now|misuse: done; stopped",
            "1; misuse: now|misuse: done; stopped",
            "137; misuse: now|misuse: done; crashed",
    })
    void anOutcomeFollowsFromTheEnd(int status, String lines, String outcome) {
        assertThat(MisuseProgram.outcome(status, lines.replace('|', '\n')).word()).isEqualTo(outcome);
    }
}
