package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results;
import dev.mimalloc.bench.Results.Case;
import dev.mimalloc.bench.Results.Machine;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.services.Trial.Outcome;
import dev.mimalloc.tools.Home;
import dev.mimalloc.tools.measure.Progress;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs services on allocators, in turns; each leaves its raw results, of which the page is made. */
@Command(name = "mimalloc services", mixinStandardHelpOptions = true, description = "Runs services on the allocator and on its "
        + "peers, and writes a report, build/services/index.html. Ends with 1 when one went wrong on our allocator, or answered "
        + "something else than on the system's.")
public final class Main implements Callable<Integer> {
    /** The services in the order of the report. */
    static final List<Service> ALL = List.of(new PostgreSql(), new MariaDb(), new Redis(), new Memcached(), new Nginx(), new RocksDb(),
            new Jvm(), new Ignite(), new Spark(), new Flink(), new Kafka());

    /** What services have to go through, in the order of the report. */
    static final List<Ordeal> ORDEALS = List.of(new PostgreSqlKilled(), new RedisKilled(), new RedisDisk(), new RedisLimit());

    /** Ours, with what hardens it most. */
    static final Allocator HARDENED = new Allocator(Allocator.OURS + "-hardened", Home.library().toString(), "",
            Map.of("MIMALLOC_HARDEN", "3"));

    @Parameters(paramLabel = "NAME", description = "only these services; --list shows them all")
    private List<String> names = List.of();

    @Option(names = "--quick", description = "less to do, once, on ours and the system's malloc: a minute for each")
    private boolean quick;

    @Option(names = "--minutes", paramLabel = "M", description = "how long Flink's events come (default: 3)")
    private int minutes = 3;

    @Option(names = "--rounds", paramLabel = "N", description = "runs of each (default: 3; quick: 1)")
    private Integer rounds;

    @Option(names = "--peers", paramLabel = "REGEX", description = "only these allocators beside ours and the system's")
    private Pattern peers;

    @Option(names = "--with", paramLabel = "NAME=VALUE", description = "ours once more, with this in the environment, such as "
            + "MIMALLOC_ALLOW_THP=0")
    private Map<String, String> options = new TreeMap<>();

    @Option(names = "--list", description = "lists the services and ends")
    private boolean list;

    @Option(names = "--report", description = "runs nothing: makes the report of the last runs anew")
    private boolean reportOnly;

    @Option(names = "--output", paramLabel = "FOLDER", description = "for data and report (default: build/services)")
    private Path folder = Home.folder().resolve("build/services");

    @Spec
    private CommandSpec spec;

    private boolean oursFailed;

    /** Runs the command, and ends the JVM with its exit code. */
    public static void main(String[] arguments) {
        System.setProperty("java.awt.headless", "true");
        System.exit(new CommandLine(new Main()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            ALL.forEach(s -> out.printf("%-18s %s%n", s.name(), s.title()));
            Suite.ALL.forEach(s -> out.printf("%-18s %s%n", s.name(), s.title()));
            ORDEALS.forEach(o -> out.printf("%-18s %s%n", o.name(), o.title()));
            out.flush();
            return 0;
        }
        if (minutes < 1) throw new ParameterException(spec.commandLine(), "--minutes: at least 1");
        if (rounds != null && rounds < 1) throw new ParameterException(spec.commandLine(), "--rounds: at least 1");
        for (String name : names) {
            var known = Stream.of(ALL.stream().map(Service::name), Suite.ALL.stream().map(Suite::name), ORDEALS.stream().map(Ordeal::name));
            if (known.flatMap(n -> n).noneMatch(name::equals)) {
                throw new ParameterException(spec.commandLine(), name + ": an unknown service; --list shows them all");
            }
        }
        folder = Files.createDirectories(folder).toRealPath();
        var missing = reportOnly ? List.<String>of() : measure();
        out.print(Report.write(folder, missing));
        out.flush();
        return oursFailed ? 1 : 0;
    }

    private List<String> measure() throws IOException, InterruptedException {
        var allocators = allocators();
        int times = rounds != null ? rounds : quick ? 1 : 3;
        var missing = new ArrayList<String>();
        var chosen = new ArrayList<>(ALL);
        chosen.removeIf(s -> !names.isEmpty() && !names.contains(s.name()));
        if (quick && names.isEmpty()) {
            chosen.stream().filter(Service::isLarge).forEach(s -> missing.add(s.name() + " (large: runs when it is named)"));
            chosen.removeIf(Service::isLarge);
        }
        var suites = Suite.ALL.stream().filter(s -> names.isEmpty() ? !quick || s.equals(Suite.QUICK) : names.contains(s.name())).toList();
        var ordeals = ORDEALS.stream().filter(o -> names.isEmpty() ? !quick : names.contains(o.name())).toList();
        // The system's comes first, as each other run is compared with it.
        var tested = new ArrayList<>(allocators.stream().filter(a -> a.name().equals(Allocator.SYSTEM)).toList());
        tested.addAll(allocators.stream().filter(a -> a.name().startsWith(Allocator.OURS)).toList());
        var jobs = new ArrayList<Job>();
        chosen.forEach(s -> jobs.add(job(s, allocators, times)));
        suites.forEach(s -> jobs.add(job(s, tested)));
        ordeals.forEach(o -> jobs.add(job(o, tested)));
        var progress = new Progress(spec.commandLine().getErr(), jobs.stream().mapToInt(j -> 1 + j.runs).sum());
        for (Job job : jobs) {
            if (prepare(job, missing, progress)) job.running.run(progress);
            else progress.skip(job.runs);
        }
        return missing;
    }

    /**
     * What is prepared once and runs several times.
     *
     * @param owner whose tree has the packages: the service's that an ordeal is about
     */
    private record Job(String name, String owner, List<String> packages, Making making, int runs, Running running) {}

    /** Makes in a folder what all runs begin with. */
    private interface Making { void make(Path tree, Path prepared) throws IOException, InterruptedException; }

    private interface Running { void run(Progress progress) throws IOException, InterruptedException; }

    private Job job(Service service, List<Allocator> allocators, int times) {
        return new Job(service.name(), service.name(), service.packages(),
                (tree, prepared) -> service.prepare(Place.of(tree, prepared, quick, minutes)), times * allocators.size(),
                progress -> run(service, allocators, times, progress));
    }

    private Job job(Suite suite, List<Allocator> allocators) {
        return new Job(suite.name(), suite.name(), suite.packages(), suite::prepare, allocators.size(),
                progress -> run(suite, allocators, progress));
    }

    private Job job(Ordeal ordeal, List<Allocator> allocators) {
        Service service = ordeal.service();
        return new Job(ordeal.name(), service.name(), service.packages(),
                (tree, prepared) -> ordeal.prepare(Place.of(tree, prepared, true, minutes)), allocators.size(),
                progress -> run(ordeal, allocators, progress));
    }

    private Path tree(String name) { return folder.resolve("packages").resolve(name); }

    /** Gets ready, or is left out where something cannot be had. */
    private boolean prepare(Job job, List<String> missing, Progress progress) throws InterruptedException {
        progress.step(job.name + ": gets ready");
        try {
            unpack(job.packages, tree(job.owner));
            Trial.makeFolder(folder.resolve(job.name));
            job.making.make(tree(job.owner), Files.createDirectory(folder.resolve(job.name).resolve("prepared")));
            return true;
        } catch (Failed | IOException e) {
            missing.add("%s (%s)".formatted(job.name, e.getMessage()));
            progress.say("left out: " + missing.getLast());
            return false;
        }
    }

    private List<Allocator> allocators() {
        var all = new ArrayList<>(Allocator.all(Map.of(), Pattern.compile("mimalloc|jemalloc|" + Allocator.SYSTEM)));
        all.add(1, HARDENED);
        Pattern wanted = peers != null ? peers : Pattern.compile(quick ? "(?!)" : "");
        all.removeIf(a -> !a.name().equals(Allocator.OURS) && !a.name().equals(Allocator.SYSTEM)
                && !wanted.matcher(a.name()).find());
        options.forEach((name, value) -> all.add(1, new Allocator("%s-%s=%s".formatted(Allocator.OURS, name, value),
                Home.library().toString(), "", Map.of(name, value))));
        return all;
    }

    /** Gets the packages, unless they are there from an earlier run. */
    private static void unpack(List<String> packages, Path tree) throws IOException, InterruptedException {
        if (packages.isEmpty() || Files.isReadable(tree.resolve("packages"))) return;
        var command = new ArrayList<>(List.of(Home.folder().resolve("scripts/unpack.sh").toString(), tree.toString()));
        command.addAll(packages);
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) throw new Failed(said.strip());
    }

    /** The order of the allocators is another one in each round, so that a noisy minute hits all of them. */
    private void run(Service service, List<Allocator> allocators, int times, Progress progress)
            throws IOException, InterruptedException {
        Path work = folder.resolve(service.name());
        var random = new Random(times);
        var outcomes = new ArrayList<Outcome>();
        for (int round = 1; round <= times; round++) {
            var order = new ArrayList<>(allocators);
            Collections.shuffle(order, random);
            for (Allocator allocator : order) {
                progress.step("%s: round %d of %d, %s".formatted(service.name(), round, times, allocator.name()));
                Path data = work.resolve(allocator.name());
                var outcome = Trial.run(service, Place.of(tree(service.name()), data, quick, minutes), work.resolve("prepared"), allocator, round);
                outcomes.add(outcome);
                if (outcome.sample().problem() != null) {
                    progress.say("%s on %s: %s".formatted(service.name(), allocator.name(), outcome.sample().problem()));
                }
            }
        }
        List<Sample> samples = compare(outcomes);
        oursFailed |= hasOursFailed(samples);
        Curve.write(folder, service.name(), outcomes.stream().map(Outcome::curve).toList());
        new Results(service.name(), Instant.now().truncatedTo(ChronoUnit.SECONDS), Machine.here(), quick ? 0.1 : 1, allocators,
                Allocator.SYSTEM, List.of(new Case(service.name(), service.title(), 0)), samples).write(folder);
    }

    private void run(Suite suite, List<Allocator> allocators, Progress progress) throws IOException, InterruptedException {
        Path work = folder.resolve(suite.name());
        var outcomes = new ArrayList<Suite.Outcome>();
        for (Allocator allocator : allocators) {
            progress.step("%s: %s".formatted(suite.name(), allocator.name()));
            Path data = work.resolve(allocator.name());
            Trial.copy(work.resolve("prepared"), data);
            var outcome = suite.run(tree(suite.name()), data, allocator, quick);
            outcomes.add(outcome);
            var differences = outcome.differences(outcomes.getFirst());
            differences.forEach(d -> progress.say("%s: %s".formatted(suite.name(), d)));
            oursFailed |= !differences.isEmpty();
        }
        suite.write(folder, outcomes);
    }

    private void run(Ordeal ordeal, List<Allocator> allocators, Progress progress) throws IOException, InterruptedException {
        Path work = folder.resolve(ordeal.name());
        var verdicts = new ArrayList<Verdict>();
        for (Allocator allocator : allocators) {
            progress.step("%s: %s".formatted(ordeal.name(), allocator.name()));
            var place = Place.of(tree(ordeal.service().name()), work.resolve(allocator.name()), true, minutes);
            verdicts.add(ordeal.judge(place, work.resolve("prepared"), allocator));
        }
        var differences = Verdict.differences(verdicts);
        differences.forEach(d -> progress.say("%s %s".formatted(ordeal.name(), d)));
        oursFailed |= !differences.isEmpty();
        Verdict.write(folder, ordeal.name(), verdicts);
    }

    /** Who answers something else than on the system's malloc has a problem instead of figures. */
    static List<Sample> compare(List<Outcome> outcomes) {
        var expected = outcomes.stream().filter(o -> o.sample().allocator().equals(Allocator.SYSTEM)
                && o.sample().problem() == null).findFirst();
        return outcomes.stream().map(o -> {
            Sample s = o.sample();
            boolean same = expected.isEmpty() || s.problem() != null || o.answers().equals(expected.get().answers());
            return same ? s : new Sample(s.name(), s.x(), s.allocator(), s.round(), Map.of(),
                    "its answers are not those on the system's malloc");
        }).toList();
    }

    /** A service that fails on the system's malloc too is no failure of ours. */
    static boolean hasOursFailed(List<Sample> samples) {
        return samples.stream().noneMatch(s -> s.allocator().equals(Allocator.SYSTEM) && s.problem() != null)
                && samples.stream().anyMatch(s -> s.allocator().startsWith(Allocator.OURS) && s.problem() != null);
    }
}
