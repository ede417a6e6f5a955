package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Memory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The allocator's own invariants: one that is broken is an error where checks are on, and passes unnoticed elsewhere. */
class CheckTest {
    @Test
    void theTestsHereRunWithChecks() { assertThat(Check.isFull()).isTrue(); }

    @Test
    void aBrokenInvariantIsAnErrorWhereItMustHold() throws Exception {
        Child child = broken(2, "in place");
        assertThat(child.exit()).as("exit code; it said: %s", child.err()).isNotZero();
        assertThat(child.err()).contains("AssertionError: an invariant").contains("core.model.Page.collect(");
    }

    /** Such things a verification of all of a thread's pages finds, which comes by itself. */
    @ParameterizedTest
    @ValueSource(strings = {"allocate", "collect", "end"})
    void whatAProgramBreaksIsFound(String when) throws Exception {
        Child child = broken(3, when);
        assertThat(child.exit()).as("exit code; it said: %s", child.err()).isNotZero();
        assertThat(child.err()).contains("a free block was overwritten, and leads to 0x")
                .contains("core.page.Verify.theap(");
    }

    /** Each level has what the one below it has, and no more than its own. */
    @ParameterizedTest
    @CsvSource({"0, in place", "1, in place", "0, allocate", "2, allocate", "0, collect", "2, collect", "0, end", "2, end"})
    void nothingIsCheckedUnlessAskedFor(int level, String when) throws Exception {
        broken(level, when).assertSuccess();
    }

    private static Child broken(int level, String when) throws Exception {
        // Otherwise the misuse would be found first.
        return Child.java(CheckTest.class, List.of("debug=" + level, "harden=0", "leaks=off"), when);
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
