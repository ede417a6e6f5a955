package dev.mimalloc.bench.jvm;

import java.util.List;
import picocli.CommandLine.Help.Ansi;

/** The outcomes as a table for the terminal, in colour where it has any. */
final class Table {
    private static final String ROW = "%-36s %-22s%10s%8s   %-26s%10s%8s%s%16s%7s%n";
    private static final String RATIO = "    ratio";

    private Table() {}

    static String of(List<Outcome> outcomes, Settings settings) {
        var text = new StringBuilder();
        text.append(String.format("%n" + ROW, "", "ours", "ns", "objects", "against", "ns", "objects", RATIO,
                "least-most", "goal"));
        for (Outcome o : outcomes) {
            if (o.problem() != null) {
                text.append(String.format("%-36s %s%n", o.row(), Ansi.AUTO.string("@|red " + o.problem() + "|@")));
                continue;
            }
            text.append(String.format(ROW, o.row(), o.ours().label(), time(o.ours().nanoseconds()),
                    bytes(o.ours().objectBytes()), o.other().label(), time(o.other().nanoseconds()),
                    bytes(o.other().objectBytes()), ratio(o),
                    "%.2f-%.2f".formatted(o.ratio().least(), o.ratio().most()),
                    o.goal().isPresent() ? "%.2f".formatted(o.goal().getAsDouble()) : ""));
        }
        text.append(String.format("%nns: %s time of one operation, the median of %d rounds.%n", settings.clock(),
                settings.rounds()));
        text.append(String.format("ratio: below 1 ours needs less.%n"));
        text.append(String.format("objects: bytes of Java objects that one operation allocates.%n"));
        return text.toString();
    }

    private static String time(double nanoseconds) {
        return nanoseconds < 1000 ? "%.1f".formatted(nanoseconds) : "%.0f".formatted(nanoseconds);
    }

    private static String bytes(double bytes) { return bytes < 0.5 ? "0" : "%.0f".formatted(bytes); }

    private static String ratio(Outcome o) {
        String text = "%9.2f".formatted(o.ratio().median());
        if (o.goal().isEmpty()) return text;
        return Ansi.AUTO.string((o.reached() ? "@|green " : "@|red ") + text + "|@");
    }
}
