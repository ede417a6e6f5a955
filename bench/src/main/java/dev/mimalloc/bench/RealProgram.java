package dev.mimalloc.bench;

import static dev.mimalloc.tools.measure.Stopwatch.Processors.ONE;

import dev.mimalloc.tools.measure.Program;
import dev.mimalloc.tools.measure.Stopwatch;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** A real program, which must print the same on each allocator. */
final class RealProgram implements Benchmark {
    private static final String FILES = "dev/mimalloc/bench/programs/";
    // Of the demo's: the JVM hardly calls malloc, Perl is like Ruby and Lua, and the two in C++ are workloads here.
    private static final Set<String> LEFT_OUT = Set.of("java", "perl", "server", "pipeline");

    private final Program program;
    private final Path work;
    private Stopwatch stopwatch;
    private String digest;

    RealProgram(Program program, Path folder) {
        this.program = program;
        this.work = folder.resolve(program.name());
    }

    /** The demo's programs, and more; with less to do when {@code quick}. */
    static List<RealProgram> suite(Path folder, boolean quick) {
        String rounds = quick ? "1" : "3";
        var more = Stream.of(
                new Program("lua", "Lua: tables, strings, closures", ONE, List.of("lua5.4"),
                        List.of(FILES + "words.lua"), List.of(), List.of("lua5.4", "words.lua", rounds), Map.of()),
                new Program("ruby", "Ruby: objects, strings, hashes", ONE, List.of("ruby"), List.of(FILES + "ledger.rb"),
                        List.of(), List.of("ruby", "--disable-gems", "ledger.rb", rounds), Map.of()),
                new Program("z3", "Z3 on a set of problems", ONE, List.of("z3", "python3"),
                        List.of(FILES + "problems.py"), List.of("python3", "problems.py", "problems.smt2"),
                        List.of("z3", "problems.smt2"), Map.of()),
                new Program("ghostscript", "Ghostscript on a long document", ONE, List.of("gs"),
                        List.of(FILES + "book.ps"), List.of(),
                        List.of("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=pdfwrite",
                                "-dpages=" + (quick ? 40 : 120), "-o", "book.pdf", "book.ps"),
                        Map.of()));
        return Stream.concat(Program.all(quick).stream().filter(program -> !LEFT_OUT.contains(program.name())), more)
                .map(program -> new RealProgram(program.name().equals("redis") ? onSystem(program) : program, folder))
                .toList();
    }

    // The demo compares with the allocator that Redis brings; here that is one of the peers.
    private static Program onSystem(Program redis) {
        return new Program(redis.name(), "Redis under redis-benchmark", redis.processors(), redis.needs(),
                redis.files(), redis.prepare(), redis.command(), Map.of("REDIS_SYSTEM_MALLOC", "1"));
    }

    @Override
    public Results.Case about() { return new Results.Case(program.name(), program.title(), 0); }

    @Override
    public String obstacle() {
        return program.missing().isEmpty() ? "" : "not installed: " + String.join(", ", program.missing());
    }

    @Override
    public void prepare() {
        if (stopwatch != null) return;
        var made = new Stopwatch(work);
        program.files().forEach(made::unpack);
        if (!program.prepare().isEmpty()) made.execute(program.prepare(), Map.of());
        made.measure("", program.processors(), program.command(), program.environment()); // fills the file cache
        stopwatch = made;
    }

    @Override
    public Map<String, Double> run(Allocator allocator) {
        var environment = new HashMap<>(program.environment());
        environment.putAll(allocator.environment());
        var run = stopwatch.measure(allocator.library(), program.processors(), program.command(), environment);
        if (stopwatch.errors().contains("cannot be preloaded")) throw new Failed("the library cannot be preloaded");
        if (digest == null) digest = run.digest();
        if (!run.digest().equals(digest)) throw new Failed("its output is not what it was on the first allocator");
        return Map.of("seconds", run.seconds(), "cpuSeconds", run.cpuSeconds(), "peakKib", (double) run.peakKib(),
                "minorFaults", (double) run.minorFaults(), "majorFaults", (double) run.majorFaults());
    }
}
