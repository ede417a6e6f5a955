package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Memory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The allocator's own invariants: one that is broken is an error where checks are on, and passes unnoticed elsewhere. */
class CheckTest {
    @Test
    void theTestsHereRunWithChecks() { assertThat(Check.isOn()).isTrue(); }

    @Test
    void aBrokenInvariantIsAnErrorWhereItMustHold() throws Exception {
        Child child = broken("-Ddev.mimalloc.check=true", "in place");
        assertThat(child.exit()).as("exit code; it said: %s", child.err()).isNotZero();
        assertThat(child.err()).contains("AssertionError: an invariant").contains("core.model.Page.collect(");
    }

    /** Such things a verification of all of a thread's pages finds, which comes by itself. */
    @ParameterizedTest
    @ValueSource(strings = {"allocate", "collect", "end"})
    void whatAProgramBreaksIsFound(String when) throws Exception {
        Child child = broken("-Ddev.mimalloc.check=true", when);
        assertThat(child.exit()).as("exit code; it said: %s", child.err()).isNotZero();
        assertThat(child.err()).contains("a free block was overwritten, and leads to 0x")
                .contains("core.page.Verify.theap(");
    }

    @ParameterizedTest
    @ValueSource(strings = {"in place", "allocate", "collect", "end"})
    void nothingIsCheckedUnlessAskedFor(String when) throws Exception {
        broken("-Ddev.mimalloc.check=false", when).assertSuccess();
    }

    private static Child broken(String property, String when) throws Exception {
        return Child.run(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), property,
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                CheckTest.class.getName(), when), Map.of());
    }

    /** Breaks something that is found in the method where it must hold, or when the thread's pages are verified. */
    public static void main(String[] arguments) {
        Mimalloc.malloc(100); // so that the page stays
        long block = Mimalloc.malloc(100);
        long page = PageMap.pageOf(block);
        if (arguments[0].equals("in place")) {
            Page.setReserved(page, 0);
            Page.collect(page);
            return;
        }
        Mimalloc.free(block);
        Memory.putLong(block, 0x1234);
        switch (arguments[0]) {
            case "allocate" -> {
                for (int i = 0; i < 2 * Config.VERIFY_CYCLES; i++) Mimalloc.free(Mimalloc.malloc(200_000));
            }
            case "collect" -> Mimalloc.collect(true);
            default -> Threads.done();
        }
    }
}
