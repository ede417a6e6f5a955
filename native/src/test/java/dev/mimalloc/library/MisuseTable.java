package dev.mimalloc.library;

import dev.mimalloc.library.MisuseProgram.Case;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What each case comes to in each mode: a file of lines with tabs, whose columns are group, case and size, one for each
 * mode, and at last why what is missed is missed, in the line of a case's first size. A cell with several outcomes, as
 * {@code stopped/missed}, is a case that chance decides.
 */
final class MisuseTable {
    private static final List<String> KEY = List.of("group", "case", "size");
    private static final String WHY = "why";

    private final Path file;
    private final List<String> modes = new ArrayList<>();
    private final Map<Case, Map<String, String>> rows = new LinkedHashMap<>();

    private MisuseTable(Path file) { this.file = file; }

    static MisuseTable read(Path file) throws IOException {
        var table = new MisuseTable(file);
        List<List<String>> lines = Files.readAllLines(file).stream().map(line -> List.of(line.split("\t", -1))).toList();
        List<String> head = lines.getFirst();
        table.modes.addAll(head.subList(KEY.size(), head.size() - 1));
        for (List<String> line : lines.subList(1, lines.size())) {
            var cells = new LinkedHashMap<String, String>();
            for (int i = KEY.size(); i < head.size(); i++) cells.put(head.get(i), line.get(i));
            table.rows.put(new Case(line.get(0), line.get(1), line.get(2)), cells);
        }
        return table;
    }

    void write() throws IOException { Files.writeString(file, text()); }

    /** The lines of the file. */
    String text() {
        return Stream.concat(
                Stream.of(Stream.of(KEY, modes, List.of(WHY)).flatMap(Collection::stream)),
                rows.entrySet().stream().map(row -> Stream.concat(
                        Stream.of(row.getKey().group(), row.getKey().name(), row.getKey().size()),
                        Stream.concat(modes.stream(), Stream.of(WHY)).map(column -> row.getValue().getOrDefault(column, "")))))
                .map(cells -> cells.collect(Collectors.joining("\t"))).collect(Collectors.joining("\n", "", "\n"));
    }

    /** The columns' names, a peer's with its version. */
    List<String> modes() { return modes; }

    List<Case> cases() { return List.copyOf(rows.keySet()); }

    /** What may come of a case, the best first. */
    SequencedSet<Outcome> outcomes(Case one, String mode) {
        String cell = rows.get(one).getOrDefault(mode, "");
        return cell.isEmpty() ? new LinkedHashSet<>()
                : Arrays.stream(cell.split("/")).map(Outcome::of).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** What one can rely on: the worst. */
    Outcome worst(Case one, String mode) { return outcomes(one, mode).getLast(); }

    String why(Case one) { return rows.get(one).getOrDefault(WHY, ""); }

    /** Takes over which cases there are. What is known of them stays. */
    void setCases(List<Case> cases) {
        var former = Map.copyOf(rows);
        rows.clear();
        for (Case one : cases) rows.put(one, new LinkedHashMap<>(former.getOrDefault(one, Map.of())));
    }

    /** Takes over which modes there are, in this order. What is known of them stays. */
    void setModes(List<String> names) {
        modes.clear();
        modes.addAll(names);
    }

    /** Has each case been measured in this mode? */
    boolean isComplete(String mode) { return rows.keySet().stream().noneMatch(one -> outcomes(one, mode).isEmpty()); }

    /** The name without a version. */
    static String product(String mode) { return mode.replaceFirst(" [0-9.]+$", ""); }

    void set(Case one, String mode, Collection<Outcome> outcomes) {
        rows.get(one).put(mode, new TreeSet<>(outcomes).stream().map(Outcome::word).collect(Collectors.joining("/")));
    }
}
