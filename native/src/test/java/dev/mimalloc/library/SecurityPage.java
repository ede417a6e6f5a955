package dev.mimalloc.library;

import dev.mimalloc.library.MisuseProgram.Case;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The tables of docs/security.md, and that of the README, which follow from the table of misuses. The text around them is
 * written by hand.
 */
final class SecurityPage {
    private static final Map<String, String> SIZES = Map.of("100000", "100 000", "3145728", "3 MiB", "-", "");

    private final MisuseTable table;

    SecurityPage(MisuseTable table) { this.table = table; }

    /** The page with its tables in place: each between two comments with its name. */
    String fill(String page) {
        return fill(page, Map.of("letters", letters(), "modes", modes(), "sums", sums(), "groups", groups(), "cases", cases()));
    }

    /** The README with the sum of what is covered in place. */
    String fillReadme(String readme) { return fill(readme, Map.of("misuse", covered())); }

    private static String fill(String page, Map<String, String> parts) {
        String filled = page;
        for (var part : parts.entrySet()) {
            String begin = "<!-- " + part.getKey() + " -->\n";
            int from = filled.indexOf(begin) + begin.length();
            int to = filled.indexOf("<!-- end of " + part.getKey() + " -->", from);
            if (from < begin.length() || to < 0) throw new IllegalStateException("the page has no place for " + part.getKey());
            filled = filled.substring(0, from) + part.getValue() + filled.substring(to);
        }
        return filled;
    }

    private static String row(Stream<String> cells) { return cells.collect(Collectors.joining(" | ", "| ", " |\n")); }

    /** A table's head: the columns before the modes, the modes, and those after them. */
    private String head(List<String> before, List<String> after) {
        List<String> all = Stream.of(before, table.modes(), after).flatMap(List::stream).toList();
        return row(all.stream()) + "|" + "---|".repeat(all.size()) + "\n";
    }

    private static String letters() {
        return "| | outcome | |\n|---|---|---|\n" + Arrays.stream(Outcome.values())
                .map(outcome -> row(Stream.of(outcome.letter(), outcome.word(), outcome.meaning()))).collect(Collectors.joining());
    }

    private String modes() {
        return "| mode | |\n|---|---|\n" + table.modes().stream().map(mode -> {
            String what = Stream.concat(Mode.OURS.stream(), Mode.PEERS.stream())
                    .filter(m -> m.name().equals(MisuseTable.product(mode))).findFirst().orElseThrow().what();
            return row(Stream.of(mode, what));
        }).collect(Collectors.joining());
    }

    private long count(String mode, Predicate<Case> which, Predicate<Outcome> what) {
        return table.cases().stream().filter(which).filter(one -> what.test(table.worst(one, mode))).count();
    }

    private String sums() {
        String rows = Arrays.stream(Outcome.values())
                .map(outcome -> row(Stream.concat(Stream.of(outcome.word()),
                        table.modes().stream().map(mode -> "" + count(mode, one -> true, outcome::equals)))))
                .collect(Collectors.joining());
        return head(List.of("of %d cases".formatted(table.cases().size())), List.of()) + rows;
    }

    private String covered() {
        return head(List.of("of %d cases of misuse".formatted(table.cases().size())), List.of())
                + row(Stream.concat(Stream.of("stopped, reported or prevented"),
                        table.modes().stream().map(mode -> "" + count(mode, one -> true, Outcome::isCovered))));
    }

    private String groups() {
        var rows = new StringBuilder(head(List.of("stopped, reported or prevented"), List.of()));
        for (String group : groupNames()) {
            rows.append(row(Stream.concat(Stream.of(group), table.modes().stream().map(mode -> {
                Predicate<Case> isOfGroup = one -> one.group().equals(group);
                return "%d of %d".formatted(count(mode, isOfGroup, Outcome::isCovered),
                        count(mode, isOfGroup, outcome -> outcome != Outcome.ABSENT));
            }))));
        }
        return rows.toString();
    }

    private SequencedSet<String> groupNames() {
        return table.cases().stream().map(Case::group).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private String cases() {
        var text = new StringBuilder();
        for (String group : groupNames()) {
            text.append("\n### ").append(group.substring(0, 1).toUpperCase(Locale.ROOT)).append(group.substring(1))
                    .append("\n\n").append(head(List.of("misuse", "blocks"), List.of("why")));
            var byName = table.cases().stream().filter(one -> one.group().equals(group))
                    .collect(Collectors.groupingBy(Case::name, LinkedHashMap::new, Collectors.toList()));
            byName.forEach((name, sizes) -> text.append(row(Stream.of(
                    Stream.of("`" + name + "`", sizes(sizes)),
                    table.modes().stream().map(mode -> letters(sizes, mode)),
                    Stream.of(table.why(sizes.getFirst()))).flatMap(part -> part))));
        }
        return text.append('\n').toString();
    }

    private static String sizes(List<Case> cases) {
        return cases.stream().map(one -> SIZES.getOrDefault(one.size(), one.size())).collect(Collectors.joining(", "));
    }

    /** A letter for each size, or one for all. */
    private String letters(List<Case> cases, String mode) {
        List<String> letters = cases.stream().map(one -> table.outcomes(one, mode).stream().map(Outcome::letter)
                .collect(Collectors.joining("/"))).toList();
        return letters.stream().distinct().count() == 1 ? letters.getFirst() : String.join(" ", letters);
    }
}
