package dev.mimalloc.core;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** The policy in C: the library is compiled once more, over a libc whose calls can be made to fail. */
class NativeOsTest extends OsContract {
    private static final Path BUILD = Path.of(System.getProperty("mimalloc.library")).resolve("../..").normalize();
    private static SymbolLookup symbols;

    @BeforeAll
    static void compile() throws Exception {
        String library = Path.of("target/libfaults.so").toAbsolutePath().toString();
        var command = List.of(Optional.ofNullable(System.getenv("CC")).orElse("cc"), "-shared", "-fPIC", "-O1", "-pthread",
                "-fvisibility=hidden", "-I", BUILD.resolve("include").toString(), "-I",
                BUILD.resolve("src").toString(), "-o", library, "src/test/c/faults.c");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        symbols = SymbolLookup.libraryLookup(library, Arena.global());
    }

    @AfterEach
    void errnoIsAsBefore() { assertThat(call("errnosLost")).isZero(); }

    @Override
    FaultyOs os() { return new InC(); }

    private static long call(String name, long... arguments) {
        var type = FunctionDescriptor.of(JAVA_LONG,
                Collections.nCopies(arguments.length, JAVA_LONG).toArray(MemoryLayout[]::new));
        Object[] boxed = LongStream.of(arguments).boxed().toArray();
        try {
            return (long) Linker.nativeLinker().downcallHandle(symbols.findOrThrow("t_" + name), type)
                    .invokeWithArguments(boxed);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static final class InC implements FaultyOs {
        @Override
        public void fail(int call, int first, int times, int error) {
            call("fail", call, first, times, error);
        }
        @Override
        public long calls(int call) { return call("calls", call); }
        @Override
        public long map(long size, long alignment, int flags) { return call("map", size, alignment, flags); }
        @Override
        public long mapHuge(long size, int node) { return call("mapHuge", size, node); }
        @Override
        public boolean mapAt(long a, long size) { return call("mapAt", a, size) != 0; }
        @Override
        public boolean unmap(long a, long size) { return call("unmap", a, size) != 0; }
        @Override
        public void release(long a, long size) { call("release", a, size); }
        @Override
        public boolean remap(long a, long size, long newSize, long target) {
            return call("remap", a, size, newSize, target) != 0;
        }
        @Override
        public long realloc(long block, long size) { return call("realloc", block, size); }
        @Override
        public void free(long block) { call("free", block); }
        @Override
        public boolean commit(long a, long size) { return call("commit", a, size) != 0; }
        @Override
        public int decommit(long a, long size) { return (int) call("decommit", a, size); }
        @Override
        public boolean discard(long a, long size) { return call("discard", a, size) != 0; }
        @Override
        public boolean reset(long a, long size) { return call("reset", a, size) != 0; }
        @Override
        public boolean allowHugePages(long a, long size, boolean allow) {
            return call("allowHugePages", a, size, allow ? 1 : 0) != 0;
        }
        @Override
        public long nodes(long list) { return call("nodes", list); }
        @Override
        public boolean overcommits() { return call("overcommits") != 0; }
        @Override
        public void forgetOvercommits() { call("forgetOvercommits"); }
        @Override
        public long resident() { return call("resident"); }
        @Override
        public void print(long text) { call("print", text); }

        @Override
        public String takeWritten() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment text = arena.allocate(1 << 16);
                call("takeWritten", text.address());
                return text.getString(0);
            }
        }
    }
}
