package dev.mimalloc.tests;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What needs a process of its own, since it looks at all of its memory. */
@Tag("processes")
abstract class ProcessContract extends Contract {
    ProcessContract(Allocator allocator) { super(allocator); }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "BURST.*")
    void memoryReturnsAfterABurst(Scenario burst) throws Exception {
        Child.scenario(allocator, burst, Map.of("MIMALLOC_PURGE_DELAY", "100")).assertSuccess();
    }

    @ParameterizedTest
    @EnumSource(names = {"BURST", "BURST_OF_A_THREAD_THAT_ENDED", "SILENCE_AFTER_A_BURST"})
    void memoryReturnsAtTheDefaults(Scenario burst) throws Exception {
        Child.scenario(allocator, burst, Map.of()).assertSuccess();
    }

    @ParameterizedTest
    @EnumSource(names = {"PRODUCERS_AND_CONSUMERS", "SHORT_THREADS", "SHORT_HEAPS", "ALL_IS_FREED"})
    void inTheLongRun(Scenario scenario) throws Exception {
        Child.scenario(allocator, scenario, Map.of()).assertSuccess();
    }
}
