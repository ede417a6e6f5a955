package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.bench.Results.Sample;
import dev.mimalloc.services.Curve.Point;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import dev.mimalloc.tools.measure.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * One run of a service on one allocator: it starts on a copy of the prepared folder, is loaded, idles, and ends. Its memory is looked
 * at all the while.
 */
final class Trial {
    private static final long READY_SECONDS = 180, SAMPLE_MILLIS = 200;

    private final Service service;
    private final Place place;
    private final List<Point> points = Collections.synchronizedList(new ArrayList<>());

    /** What came of it: figures or a problem, the curve, and what the service answered. */
    record Outcome(Sample sample, Curve curve, String answers) {}

    private Trial(Service service, Place place) {
        this.service = service;
        this.place = place;
    }

    static Outcome run(Service service, Place place, Path prepared, Allocator allocator, int round)
            throws InterruptedException {
        var trial = new Trial(service, place);
        var load = new Load();
        Map<String, Double> figures = Map.of();
        String answers = "", problem = null;
        try {
            copy(prepared, place.folder());
            try (var daemon = start(service, service.command(place), place, allocator)) {
                load = new Load();
                answers = trial.observe(daemon, load);
                figures = trial.figures(daemon, load);
                daemon.stop();
            }
        } catch (Failed | IOException e) {
            figures = Map.of();
            problem = e.getMessage() == null ? e.toString() : e.getMessage();
        }
        var sample = new Sample(service.name(), 0, allocator.name(), round, figures, problem);
        return new Outcome(sample, new Curve(allocator.name(), round, load.phases(), List.copyOf(trial.points)), answers);
    }

    /** Starts it on an allocator, and waits until it answers. */
    static Daemon start(Service service, List<String> command, Place place, Allocator allocator)
            throws IOException, InterruptedException {
        var variables = new HashMap<>(place.environment());
        variables.putAll(service.environment(allocator));
        var daemon = new Daemon(command, place.folder(), variables);
        try {
            awaitReady(service, place, daemon);
            if (!service.isOn(place, daemon, allocator)) throw new Failed(allocator.library() + " was not loaded");
            return daemon;
        } catch (IOException | InterruptedException | Failed e) {
            daemon.close();
            throw e;
        }
    }

    /** Waits until it answers, and fails when it ends instead. */
    static void awaitReady(Service service, Place place, Daemon daemon) throws InterruptedException {
        long end = System.nanoTime() + READY_SECONDS * 1_000_000_000;
        while (true) {
            daemon.mustRun();
            try {
                if (service.isReady(place)) return;
            } catch (IOException | Failed e) {
                if (System.nanoTime() > end) throw new Failed("it did not answer: " + e.getMessage());
            }
            Thread.sleep(50);
        }
    }

    static void copy(Path from, Path to) throws IOException, InterruptedException {
        for (var command : List.of(List.of("rm", "-rf", to.toString()), List.of("cp", "-a", from.toString(), to.toString()))) {
            if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) throw new Failed("no " + to);
        }
    }

    private String observe(Daemon daemon, Load load) throws IOException, InterruptedException {
        points.add(look(daemon, load)); // a load may be over before the other thread has begun
        var observer = new Thread(() -> {
            try {
                while (true) {
                    Thread.sleep(SAMPLE_MILLIS);
                    points.add(look(daemon, load));
                }
            } catch (InterruptedException e) {
                // The run is over.
            }
        });
        observer.setDaemon(true);
        observer.start();
        try {
            String answers = service.load(place, load);
            // Long enough for the delays after which allocators give memory back, ten seconds with jemalloc.
            load.phase("idle", () -> {
                Thread.sleep(place.quick() ? 2_000 : 12_000);
                return "";
            });
            return answers;
        } finally {
            observer.interrupt();
            observer.join();
        }
    }

    private Point look(Daemon daemon, Load load) {
        double seconds = load.seconds();
        Usage usage = daemon.usage();
        OptionalLong live;
        try {
            live = service.live(place);
        } catch (IOException | Failed e) {
            live = OptionalLong.empty(); // it may be busy or ending; what is wrong shows elsewhere
        }
        return new Point(seconds, usage.residentKib(), usage.privateKib(),
                live.isPresent() ? live.getAsLong() / 1024.0 : null);
    }

    private Map<String, Double> figures(Daemon daemon, Load load) {
        var figures = new HashMap<>(load.figures());
        var idle = load.phases().getLast();
        figures.put("peakKib", points.stream().mapToDouble(Point::residentKib).max().orElseThrow());
        figures.put("meanKib", points.stream().filter(p -> p.seconds() < idle.from()).mapToDouble(Point::residentKib)
                .average().orElseThrow());
        var late = points.stream().filter(p -> p.seconds() > (idle.from() + idle.to()) / 2).toList();
        if (late.isEmpty()) late = List.of(points.getLast()); // the machine was busy
        figures.put("idleKib", Summary.of(late.stream().map(Point::residentKib).toList()).median());
        var live = late.stream().map(Point::liveKib).filter(l -> l != null).toList();
        if (!live.isEmpty()) figures.put("liveKib", Summary.of(live).median());
        figures.put("cpuSeconds", daemon.usage().cpuSeconds());
        figures.put("seconds", idle.from());
        return figures;
    }

    static void makeFolder(Path folder) throws IOException, InterruptedException {
        if (new ProcessBuilder("rm", "-rf", folder.toString()).inheritIO().start().waitFor() != 0) throw new Failed("no " + folder);
        Files.createDirectories(folder);
    }
}
