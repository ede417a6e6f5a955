package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Freed blocks are known, and wait before they are given out again, in processes that want that. */
@Tag("processes")
abstract class QuarantineContract extends Contract {
    QuarantineContract(Allocator allocator) { super(allocator); }

    private Child run(Scenario scenario, String... namesAndValues) throws Exception {
        var environment = new TreeMap<>(Map.of("MIMALLOC_ABORT_ON_MISUSE", "0"));
        for (int i = 0; i < namesAndValues.length; i += 2) environment.put(namesAndValues[i], namesAndValues[i + 1]);
        return Child.scenario(allocator, scenario, environment);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "QUARANTINE_.*")
    void withTheStrongestPreset(Scenario scenario) throws Exception { run(scenario, "MIMALLOC_HARDEN", "3").assertSuccess(); }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "QUARANTINE_.*")
    void withTheOptionsAlone(Scenario scenario) throws Exception {
        run(scenario, "MIMALLOC_SECURE_QUARANTINE", "1MiB", "MIMALLOC_SECURE_QUARANTINE_LARGE", "100MiB").assertSuccess();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", "3"})
    void freedBlocksAreRefused(String preset) throws Exception {
        run(Scenario.FREED_BLOCKS_ARE_REFUSED, "MIMALLOC_HARDEN", preset).assertSuccess();
    }

    /** The secure machine knows them by itself, any other one does not. */
    @Test
    void freedBlocksAreRefusedByASecureMachine() throws Exception {
        Child child = run(Scenario.FREED_BLOCKS_ARE_REFUSED, "MIMALLOC_HARDEN", "0");
        assertThat(child.exit() == 0).as(child.err()).isEqualTo(Padding.isOn());
    }

    /** What waits is free for the end of threads and heaps, and nothing is lost. */
    @ParameterizedTest
    @EnumSource(names = {"ALL_IS_FREED", "SHORT_HEAPS", "PRODUCERS_AND_CONSUMERS"})
    void nothingIsLost(Scenario scenario) throws Exception {
        run(scenario, "MIMALLOC_HARDEN", "3", "MIMALLOC_SECURE_ZERO", "0").assertSuccess();
    }

    /** Without an option nothing waits: a freed block comes back when its list is used up. */
    @Test
    void nothingWaitsOtherwise() throws Exception {
        assertThat(run(Scenario.QUARANTINE_KEEPS_ADDRESSES).exit()).isNotZero();
        assertThat(run(Scenario.QUARANTINE_KEEPS_ADDRESSES, "MIMALLOC_HARDEN", "2").exit()).isNotZero();
        assertThat(run(Scenario.QUARANTINE_KEEPS_ADDRESSES, "MIMALLOC_HARDEN", "3", "MIMALLOC_SECURE_QUARANTINE", "0").exit()).isNotZero();
    }

    @Test
    void aUseOfAFreedLargeBlockEndsTheProcess() throws Exception {
        assertThat(run(Scenario.USE_OF_A_FREED_LARGE_BLOCK, "MIMALLOC_HARDEN", "2").exit()).isZero();
        assertThat(run(Scenario.USE_OF_A_FREED_LARGE_BLOCK, "MIMALLOC_HARDEN", "3").exit()).isNotZero();
        assertThat(run(Scenario.USE_OF_A_FREED_LARGE_BLOCK, "MIMALLOC_HARDEN", "3", "MIMALLOC_SECURE_QUARANTINE_LARGE", "0").exit()).isZero();
    }
}
