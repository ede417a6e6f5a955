package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Mode;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.tools.measure.Summary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** The numbers to reach, as far as there are results for them. */
final class Goals {
    private static final String OURS = Allocator.OURS;
    private static final Pattern MAJOR = Pattern.compile("(\\d+)");

    private final List<Goal> goals = new ArrayList<>();

    private Goals() {}

    static List<Goal> of(Raw raw) {
        var all = new Goals();
        raw.programs().ifPresent(all::programs);
        raw.workloads().ifPresent(all::remoteFrees);
        raw.latency().ifPresent(all::latency);
        raw.scaling().ifPresent(all::scaling);
        raw.startup().ifPresent(all::startup);
        raw.modes().ifPresent(all::modes);
        raw.jvm().forEach(row -> {
            if (row.hasGoal()) all.goals.add(row.asGoal());
        });
        return all.goals;
    }

    private void programs(Figures figures) {
        String base = figures.baseline();
        boolean version3 = isVersion3(figures);
        each(figures, "CPU time", "cpuSeconds");
        each(figures, "time", "seconds");
        mean(figures, "CPU time", base, "cpuSeconds", 0.97);
        mean(figures, "time", base, "seconds", 0.97);
        // Version 2 holds less memory than version 3, so that another ratio means the same.
        mean(figures, "peak memory", base, "peakKib", version3 ? 0.75 : 1.10);
        mean(figures, "peak memory", "jemalloc", "peakKib", 1.00);
        for (Allocator peer : figures.allocators()) {
            if (peer.name().equals(OURS) || peer.isMimallocInC()) continue;
            mean(figures, "CPU time", peer.name(), "cpuSeconds", 0.95);
            mean(figures, "time", peer.name(), "seconds", 0.95);
        }
    }

    private void modes(Figures figures) {
        for (Mode mode : Mode.ALL) {
            if (Double.isInfinite(mode.cpu())) continue;
            price(figures, "CPU time", mode.name(), "cpuSeconds", mode.cpu());
            price(figures, "peak memory", mode.name(), "peakKib", mode.memory());
        }
    }

    private void price(Figures figures, String what, String mode, String figure, double target) {
        figures.meanRatio(mode, Mode.RELEASE, figure).ifPresent(
                mean -> goals.add(Goal.atMost("Mean %s of %s, compared with release".formatted(what, mode), target, mean)));
    }

    private static boolean isVersion3(Figures figures) {
        var version = MAJOR.matcher(figures.baselineTitle());
        return !version.find() || Integer.parseInt(version.group(1)) >= 3;
    }

    private void mean(Figures figures, String what, String other, String figure, double target) {
        figures.meanRatio(OURS, other, figure).ifPresent(
                mean -> goals.add(Goal.atMost("Mean %s, compared with %s".formatted(what, other), target, mean)));
    }

    private void each(Figures figures, String what, String figure) {
        record Ratio(String name, double value) {}
        var ratios = new ArrayList<Ratio>();
        for (Case about : figures.cases()) {
            figures.ratio(about, OURS, figures.baseline(), figure)
                    .ifPresent(s -> ratios.add(new Ratio(about.name(), s.median())));
        }
        if (ratios.isEmpty()) return;
        Ratio worst = ratios.stream().max(Comparator.comparingDouble(Ratio::value)).orElseThrow();
        long above = ratios.stream().filter(r -> r.value() > 1.05).count();
        goals.add(new Goal("Each program's %s, compared with %s".formatted(what, figures.baseline()), "≤ 1.05",
                "%d of %d above; worst %s %s".formatted(above, ratios.size(), worst.name(), Goal.number(worst.value())),
                above == 0));
    }

    private void remoteFrees(Figures figures) {
        figures.cases("remote").forEach(about -> ratio(figures, about,
                "Free from another thread, compared with " + figures.baseline(), "remoteFreeNanos", 1.2));
    }

    private void latency(Figures figures) {
        Case about = figures.cases().getFirst();
        ratio(figures, about, "99.99% of mallocs, compared with " + figures.baseline(), "mallocP99.99", 1);
        ratio(figures, about, "99.99% of frees, compared with " + figures.baseline(), "freeP99.99", 1);
    }

    private void ratio(Figures figures, Case about, String what, String figure, double target) {
        figures.ratio(about, OURS, figures.baseline(), figure)
                .ifPresent(s -> goals.add(Goal.atMost(what, target, s.median())));
    }

    private void scaling(Figures figures) {
        growth(figures, "live", "Growth of the cost with the live heap");
        growth(figures, "concurrency", "Growth of the cost with threads");
        figures.cases("metadata").forEach(about -> figures.value(about, OURS, "metadataShare")
                .ifPresent(s -> goals.add(new Goal("Meta-data with %,.0f MiB alive".formatted(about.x() / (1 << 20)),
                        "≤ 0.2%", "%.2f%%".formatted(100 * s.median()), s.median() <= 0.002))));
    }

    private void growth(Figures figures, String name, String what) {
        var ours = factor(figures, name, OURS);
        var others = factor(figures, name, figures.baseline());
        if (ours.isEmpty() || others.isEmpty()) return;
        goals.add(new Goal(what, "≤ %s (%s)".formatted(Goal.number(others.get()), figures.baseline()),
                Goal.number(ours.get()), ours.get() <= others.get()));
    }

    // From the smallest size to the largest.
    private static Optional<Double> factor(Figures figures, String name, String allocator) {
        var costs = figures.cases(name).stream().flatMap(c -> figures.value(c, allocator, "nanosPerOperation").stream())
                .map(Summary::median).toList();
        return costs.size() < 2 ? Optional.empty() : Optional.of(costs.getLast() / costs.getFirst());
    }

    private void startup(Figures figures) {
        Case about = figures.cases().getFirst();
        var ours = figures.value(about, OURS, "nanos");
        var others = figures.value(about, figures.baseline(), "nanos");
        if (ours.isEmpty() || others.isEmpty()) return;
        double more = (ours.get().median() - others.get().median()) / 1e6;
        goals.add(new Goal("Start of an empty program, more than " + figures.baseline(), "≤ 0.3 ms",
                "%+.2f ms".formatted(more), more <= 0.3));
    }
}
