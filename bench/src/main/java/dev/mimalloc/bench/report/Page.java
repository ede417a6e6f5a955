package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.tools.measure.Summary;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The page: one file, with its charts inside, for the browser's light or dark scheme. */
public final class Page {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>TITLE</title>
            <style>
            :root { color-scheme: light dark; --ink: #1f2328; --faint: #656d76; --paper: #fff; --line: #e3e6ea;
              --good: #1a7f37; --bad: #b35900; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --paper: #0d1117;
              --line: #2b313a; --good: #3fb950; --bad: #ff9d4d; } }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
              max-width: 62rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; }
            h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
            p.faint, td.faint { color: var(--faint); } figure { margin: 1rem 0; }
            figure img { max-width: 100%; height: auto; }
            div.wide { overflow-x: auto; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
            th, td { text-align: right; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
              white-space: nowrap; }
            th { font-weight: 600; } th:first-child, td:first-child, td.text { text-align: left; }
            .pass { color: var(--good); } .miss { color: var(--bad); }
            small { color: var(--faint); }
            </style>
            </head>
            <body>
            <h1>TITLE</h1>
            """;

    private final StringBuilder html;

    /** With nothing on it yet. */
    public Page(String title) {
        html = new StringBuilder(HEAD.replace("TITLE", escape(title)));
    }

    /** Where and when, from the first of the suites. */
    public void machine(Results results) {
        var machine = results.machine();
        html.append("<p class=\"faint\">%s; %s, %d processors, %,d MiB; %s. %s</p>%n".formatted(escape(
                results.when().toString().replace('T', ' ')), escape(machine.processor()), machine.processors(),
                machine.memoryMib(), escape(machine.system()),
                results.scale() == 1 ? "" : "A quick run, with %.0f%% of the work.".formatted(100 * results.scale())));
        html.append("<p class=\"faint\">%s</p>%n".formatted(escape(
                results.allocators().stream().map(Allocator::title).collect(Collectors.joining(" · ")))));
    }

    /** Begins a section; under its title stands how to read it. */
    public void heading(String title, String text) {
        html.append("<h2>%s</h2>%n<p class=\"faint\">%s</p>%n".formatted(escape(title), escape(text)));
    }

    /** A picture, for a browser's light and dark scheme. */
    public void chart(String title, String light, String dark, int width, int height) {
        html.append("""
                <figure><picture><source media="(prefers-color-scheme: dark)" srcset="%s"/>\
                <img src="%s" width="%d" height="%d" alt="%s"/></picture></figure>
                """.formatted(data(dark), data(light), width, height, escape(title)));
    }

    private static String data(String svg) {
        return "data:image/svg+xml;base64,"
                + Base64.getEncoder().encodeToString(svg.getBytes(StandardCharsets.UTF_8));
    }

    void goals(List<Goal> goals) {
        heading("The numbers to reach", "Ratios in one run; below 1 this allocator needs less.");
        html.append("<div class=\"wide\"><table><tr><th>what</th><th>target</th><th>measured</th><th></th></tr>\n");
        for (Goal goal : goals) {
            String mark = goal.reached() ? "pass" : "miss";
            html.append("<tr><td>%s</td><td>%s</td><td>%s</td><td class=\"%s\">%s</td></tr>%n".formatted(
                    escape(goal.what()), escape(goal.target()), escape(goal.measured()), mark, mark));
        }
        html.append("</table></div>\n");
    }

    /** The means over all programs, of each allocator as a ratio to the one that they are compared with. */
    void means(Figures figures) {
        heading("Means", "Geometric means over %d programs, compared with %s.".formatted(figures.cases().size(),
                figures.baseline()));
        html.append("<div class=\"wide\"><table><tr><th></th><th>CPU time</th><th>time</th><th>peak memory</th>"
                + "<th>page faults</th><th>memory after the work</th></tr>\n");
        for (Allocator allocator : figures.allocators()) {
            html.append("<tr><td>%s</td>".formatted(escape(allocator.title())));
            for (String figure : List.of("cpuSeconds", "seconds", "peakKib", "minorFaults", "rssAfterKib")) {
                var mean = figures.meanRatio(allocator.name(), figures.baseline(), figure);
                html.append("<td>%s</td>".formatted(mean.isPresent() ? "%.2f".formatted(mean.getAsDouble()) : ""));
            }
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    /** A table of texts. */
    public void table(List<String> head, List<? extends List<String>> rows) {
        html.append("<div class=\"wide\"><table><tr>");
        head.forEach(cell -> html.append("<th>%s</th>".formatted(escape(cell))));
        html.append("</tr>\n");
        for (var row : rows) {
            html.append("<tr>");
            row.forEach(cell -> html.append("<td>%s</td>".formatted(escape(cell))));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    /** A row for each case, a column for each allocator: the median, and small the middle half of the rounds. */
    void values(Figures figures, List<Case> cases, String heading, String figure, double divisor, String format) {
        if (cases.isEmpty()) return;
        html.append("<div class=\"wide\"><table><tr><th>%s</th>".formatted(escape(heading)));
        figures.allocators().forEach(a -> html.append("<th>%s</th>".formatted(escape(a.title()))));
        html.append("</tr>\n");
        for (Case about : cases) {
            html.append("<tr><td title=\"%s\">%s</td>".formatted(escape(about.title()), escape(name(about))));
            for (Allocator allocator : figures.allocators()) {
                html.append("<td>%s</td>".formatted(figures.value(about, allocator.name(), figure)
                        .map(s -> cell(s, divisor, format)).orElse("–")));
            }
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    private static String name(Case about) {
        return about.x() == 0 ? about.name() : "%s, %,.0f".formatted(about.name(), about.x());
    }

    private static String cell(Summary s, double divisor, String format) {
        String text = format.formatted(s.median() / divisor);
        if (s.count() == 1) return text;
        return text + " <small>" + format.formatted(s.low() / divisor) + "–" + format.formatted(s.high() / divisor)
                + "</small>";
    }

    void jvm(List<Raw.JvmRow> rows) {
        html.append("<div class=\"wide\"><table><tr><th>operation</th><th>ours, ns</th><th>the best other, ns</th>"
                + "<th></th><th>ratio</th></tr>\n");
        for (var row : rows) {
            html.append("<tr><td>%s</td>".formatted(escape(row.name())));
            html.append(row.complete()
                    ? "<td>%.1f</td><td>%.1f</td><td class=\"text\">%s</td><td>%.2f <small>%.2f–%.2f</small></td>"
                            .formatted(row.ours(), row.others(), escape(row.other()), row.ratio(), row.least(),
                                    row.most())
                    : "<td class=\"text\" colspan=\"4\">%s</td>".formatted(escape(row.problem())));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    void jvmLatency(List<Raw.JvmLatency> all) {
        html.append("<div class=\"wide\"><table><tr><th>nanoseconds</th><th></th>");
        all.getFirst().percentiles().forEach(p -> html.append("<th>%s</th>".formatted(escape(p))));
        html.append("</tr>\n");
        for (var row : all) {
            html.append("<tr><td>%s</td><td class=\"text\">%s</td>".formatted(escape(row.allocator()),
                    escape(row.operation())));
            row.nanoseconds().forEach(value -> html.append("<td>%s</td>".formatted(cell(value, 1, "%,.0f"))));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    /** The runs that went wrong, if there are any. */
    public void failures(List<Figures> suites) {
        var failures = suites.stream().flatMap(s -> s.failures().stream()).toList();
        if (failures.isEmpty()) return;
        list("What went wrong", "An allocator that failed has no value there, and is not part of the means.", failures.stream()
                .map(f -> "%s on %s: %s".formatted(f.name(), f.allocator(), f.problem())).toList());
    }

    /** A section that is a list. */
    public void list(String title, String text, List<String> items) {
        heading(title, text);
        html.append("<ul>\n");
        items.forEach(item -> html.append("<li>%s</li>%n".formatted(escape(item))));
        html.append("</ul>\n");
    }

    /** The whole of it. */
    public String end() { return html.append("</body>\n</html>\n").toString(); }

    private static String escape(String text) {
        return Optional.ofNullable(text).orElse("").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
