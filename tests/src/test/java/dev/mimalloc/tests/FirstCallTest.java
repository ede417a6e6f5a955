package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the first calls of a JVM load and link, and that nothing is lost where they find no room for it. */
class FirstCallTest {
    private static final int ATTEMPTS = 20;
    private static final String LINKER = "jdk.internal.foreign.abi.AbstractLinker";
    private static final String FOREIGN_MEMORY = "jdk.internal.foreign.NativeMemorySegmentImpl";

    @Test
    void aSmallBlockLinksNoFunctionOfTheSystem() throws Exception {
        assertThat(loadedByOneCall()).contains(FOREIGN_MEMORY).doesNotContain(LINKER);
    }

    @Test
    void withUnsafeItLoadsNoForeignMemoryEither() throws Exception {
        assertThat(loadedByOneCall("--sun-misc-unsafe-memory-access=allow")).doesNotContain(FOREIGN_MEMORY, LINKER);
    }

    /** The JDK clears a segment by a loop in Java, which for some MiB is hot enough for the JIT. */
    @Test
    void theFirstMemoryIsClearedByOneCall() throws Exception {
        assertThat(run("one", "-XX:+PrintCompilation").out()).contains("java.lang.").doesNotContain("initNativeMemory");
    }

    @Test
    void theSystemIsNeededWhenTheJavaHeapIsFull() throws Exception {
        run("largeWithFullHeap", "-XX:+UseSerialGC", "-Xmx16m");
    }

    @Test
    void theSystemIsNeededWhenTheStackIsFull() throws Exception { run("largeWithFullStack"); }

    /**
     * On a busy machine the program may take so long that the allocator has got ready for more meanwhile: then once more.
     * What the call itself links is linked each time.
     */
    private static String loadedByOneCall(String... options) throws Exception {
        var all = new ArrayList<>(List.of(options));
        all.add("-Xlog:class+load");
        for (int i = 1;; i++) {
            String out = run("one", all.toArray(new String[0])).out();
            assertThat(out).contains("dev.mimalloc.core.malloc.Allocate");
            if (!out.contains(LINKER) || i == ATTEMPTS) return out;
        }
    }

    private static Child run(String program, String... options) throws Exception {
        return Child.java(FirstCallPrograms.class, List.of(options), program).assertSuccess();
    }
}
