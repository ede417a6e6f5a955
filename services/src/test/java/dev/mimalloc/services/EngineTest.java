package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.bench.Allocator;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EngineTest {
    private static final Allocator SYSTEM = new Allocator(Allocator.SYSTEM, "", ""), PEER = new Allocator("peer", "/peer.so", ""),
            OURS = new Allocator(Allocator.OURS, "/ours.so", "", Map.of("MIMALLOC_HARDEN", "3"));

    /** Ours is in Java there, and nothing is preloaded with it. */
    @Test
    void igniteIsGivenAnAllocator() {
        assertThat(new Ignite().environment(OURS)).isEqualTo(Map.of("IGNITE_ALLOCATOR", "ours", "MIMALLOC_HARDEN", "3"));
        assertThat(new Ignite().environment(PEER)).isEqualTo(Map.of("LD_PRELOAD", "/peer.so"));
        assertThat(new Ignite().environment(SYSTEM)).isEqualTo(Map.of("LD_PRELOAD", "libc.so.6"));
    }

    /** What is for executors is not for the driver. */
    @Test
    void sparkHandsTheLibraryToItsExecutors() {
        assertThat(new Spark().environment(OURS)).doesNotContainKeys("LD_PRELOAD", "MIMALLOC_HARDEN")
                .containsEntry("EXECUTOR_PRELOAD", "/ours.so").containsEntry("EXECUTOR_OPTIONS", "MIMALLOC_HARDEN=3");
        assertThat(new Spark().environment(SYSTEM)).containsEntry("EXECUTOR_PRELOAD", "libc.so.6");
    }

    /** Half an hour of events is one request. */
    @ParameterizedTest
    @ValueSource(ints = {1, 30, Integer.MAX_VALUE})
    void aRequestMayTakeAsLongAsTheEvents(int minutes) {
        var place = new Place(Path.of("tree"), Path.of("folder"), 1, false, minutes);
        assertThat((long) Engine.patienceMillis(place)).isGreaterThan(Math.min(60_000L * minutes, Integer.MAX_VALUE - 1));
    }

    /** CI downloads none of them. */
    @Test
    void enginesAreLarge() {
        assertThat(Main.ALL.stream().filter(Service::isLarge).map(Service::name)).containsExactly("ignite", "spark", "flink", "kafka");
    }
}
