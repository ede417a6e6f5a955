package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The systems that no JVM runs on here: what their classes call, and the constants that they pass, are as these systems'
 * own headers say. A C file is made of the classes' tables, and a compiler for the system reads it.
 */
class HeadersTest {
    /** Constants for what has no name in C. */
    private static final Map<String, String> EXPRESSIONS = Map.ofEntries(
            Map.entry("RUSAGE_SIZE", "sizeof(struct rusage)"),
            Map.entry("RUSAGE_USER", "offsetof(struct rusage, ru_utime)"),
            Map.entry("RUSAGE_SYSTEM", "offsetof(struct rusage, ru_stime)"),
            Map.entry("RUSAGE_PEAK", "offsetof(struct rusage, ru_maxrss)"),
            Map.entry("RUSAGE_MINOR", "offsetof(struct rusage, ru_minflt)"),
            Map.entry("RUSAGE_MAJOR", "offsetof(struct rusage, ru_majflt)"),
            Map.entry("TIMEVAL_MICROSECONDS", "offsetof(struct timeval, tv_usec)"),
            Map.entry("REGION_INFO_SIZE", "sizeof(MEMORY_BASIC_INFORMATION)"),
            Map.entry("REGION_BASE", "offsetof(MEMORY_BASIC_INFORMATION, BaseAddress)"),
            Map.entry("REGION_ALLOCATION_BASE", "offsetof(MEMORY_BASIC_INFORMATION, AllocationBase)"),
            Map.entry("REGION_SIZE", "offsetof(MEMORY_BASIC_INFORMATION, RegionSize)"),
            Map.entry("REGION_STATE", "offsetof(MEMORY_BASIC_INFORMATION, State)"),
            Map.entry("COUNTERS_SIZE", "sizeof(PROCESS_MEMORY_COUNTERS)"),
            Map.entry("COUNTERS_FAULTS", "offsetof(PROCESS_MEMORY_COUNTERS, PageFaultCount)"),
            Map.entry("COUNTERS_PEAK", "offsetof(PROCESS_MEMORY_COUNTERS, PeakWorkingSetSize)"),
            Map.entry("COUNTERS_RESIDENT", "offsetof(PROCESS_MEMORY_COUNTERS, WorkingSetSize)"));

    private static final List<String> WINDOWS = List.of("windows.h", "psapi.h", "stddef.h");
    private static final List<String> MAC_OS = List.of("errno.h", "mach/vm_statistics.h", "stddef.h", "sys/mman.h", "sys/resource.h",
            "unistd.h");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"x86_64-windows-gnu", "aarch64-windows-gnu", "x86_64-macos", "aarch64-macos"})
    void callsAndConstantsAreTheSystems(String target) throws Exception {
        boolean windows = target.contains("windows");
        Class<?> system = windows ? Windows.class : MacOs.class;
        String[] functions = windows ? Windows.FUNCTIONS : MacOs.FUNCTIONS;
        Map<String, Long> constants = constants(system);
        assertThat(constants).hasSizeGreaterThan(10);
        assertThat(compile(target, functions, constants)).isEmpty();
    }

    @Test
    void aWrongConstantIsRefused() throws Exception {
        assertThat(compile("x86_64-windows-gnu", Windows.FUNCTIONS, Map.of("MEM_RESET", 0x80001L))).contains("MEM_RESET");
        assertThat(compile("aarch64-macos", MacOs.FUNCTIONS, Map.of("RUSAGE_PEAK", 40L))).contains("ru_maxrss");
    }

    @Test
    void aWrongTypeIsRefused() throws Exception {
        String[] function = {"int VirtualFree(void*, unsigned long, unsigned long)"};
        assertThat(compile("x86_64-windows-gnu", function, Map.of())).contains("conflicting types for 'VirtualFree'");
        function[0] = "int munmap(void*)";
        assertThat(compile("aarch64-macos", function, Map.of())).contains("conflicting types for 'munmap'");
    }

    /** A parameter takes a word or less, so that all functions may be called by one type; there are at most seven. */
    @Test
    void functionsTakeWords() {
        for (String prototype : Stream.of(Windows.FUNCTIONS, MacOs.FUNCTIONS).flatMap(Stream::of).toList()) {
            String parameters = prototype.substring(prototype.indexOf('(') + 1, prototype.length() - 1);
            List<String> all = List.of(parameters.split(", ", -1));
            assertThat(all).hasSizeLessThanOrEqualTo(7);
            assertThat(all).allMatch(type -> type.endsWith("*") || type.matches("void|int|(unsigned )?long( long)?"), prototype);
            assertThat(prototype).matches("(int|void\\*|(unsigned )?long( long)?) \\w+\\(.*");
        }
        assertThat(SystemCalls.nameIn("void* mmap(void*, int)")).isEqualTo("mmap");
        assertThat(SystemCalls.nameIn("unsigned long long VirtualQuery(const void*)")).isEqualTo("VirtualQuery");
    }

    private static Map<String, Long> constants(Class<?> system) throws ReflectiveOperationException {
        Map<String, Long> constants = new TreeMap<>();
        for (Field field : system.getDeclaredFields()) {
            int modifiers = field.getModifiers();
            if (Modifier.isStatic(modifiers) && !Modifier.isPrivate(modifiers) && field.getType().isPrimitive()) {
                constants.put(field.getName(), field.getLong(null));
            }
        }
        return constants;
    }

    /** What the compiler says. */
    private String compile(String target, String[] functions, Map<String, Long> constants) throws IOException, InterruptedException {
        var text = new StringBuilder();
        for (String header : target.contains("windows") ? WINDOWS : MAC_OS) text.append("#include <").append(header).append(">\n");
        // A second declaration must be of the same type.
        for (String function : functions) text.append(function).append(";\n");
        constants.forEach((name, value) -> text.append("_Static_assert((int) (" + EXPRESSIONS.getOrDefault(name, name) + ") == (int) "
                + value + "LL, \"" + name + "\");\n"));
        Path source = folder.resolve("headers.c"), said = folder.resolve("said");
        Files.writeString(source, text);
        var builder = new ProcessBuilder(zig().toString(), "cc", "-target", target, "-std=c11", "-c", "-Wall", "-Werror",
                "-Wno-inconsistent-dllimport", "-o", folder.resolve("headers.o").toString(), source.toString()).redirectErrorStream(true).redirectOutput(said.toFile());
        builder.environment().put("ZIG_GLOBAL_CACHE_DIR", tools().resolve("cache").toString());
        builder.environment().put("ZIG_LOCAL_CACHE_DIR", tools().resolve("cache").toString());
        Process process = builder.start();
        assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
        String words = Files.readString(said, StandardCharsets.UTF_8);
        assertThat(process.exitValue() == 0).as(words).isEqualTo(words.isEmpty());
        return words;
    }

    private static Path tools() { return Path.of("../build/tools").toAbsolutePath().normalize(); }

    /** The compiler that {@code ./mimalloc build --target} has brought. */
    private static Path zig() throws IOException {
        Path packages = tools().resolve("node_modules/@zigc");
        assumeTrue(Files.isDirectory(packages), "the compiler for other systems is not there: ./mimalloc build --target brings it");
        try (Stream<Path> all = Files.list(packages)) {
            return all.map(one -> one.resolve("bin/zig")).filter(Files::isExecutable).findFirst().orElseThrow();
        }
    }
}
