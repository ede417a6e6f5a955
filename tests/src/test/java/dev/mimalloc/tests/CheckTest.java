package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.machine.Check;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The allocator's own invariants: one that is broken is an error where checks are on, and passes unnoticed elsewhere. */
class CheckTest {
    @Test
    void theTestsHereRunWithChecks() { assertThat(Check.isOn()).isTrue(); }

    @Test
    void aBrokenInvariantIsAnErrorWhereItMustHold() throws Exception {
        Child child = broken("-Ddev.mimalloc.check=true");
        assertThat(child.exit()).as("exit code; it said: %s", child.err()).isNotZero();
        assertThat(child.err()).contains("AssertionError: an invariant").contains("core.model.Page.collect(");
    }

    @Test
    void nothingIsCheckedUnlessAskedFor() throws Exception { broken("-Ddev.mimalloc.check=false").assertSuccess(); }

    private static Child broken(String property) throws Exception {
        return Child.run(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), property,
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                CheckTest.class.getName()), Map.of());
    }

    /** Has a page for fewer blocks than it has. */
    public static void main(String[] arguments) {
        long page = PageMap.pageOf(Mimalloc.malloc(100));
        Page.setReserved(page, 0);
        Page.collect(page);
    }
}
