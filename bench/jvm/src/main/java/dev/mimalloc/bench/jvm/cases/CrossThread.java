package dev.mimalloc.bench.jvm.cases;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Control;

/** One thread allocates, another frees; a ring is between them, so that the faster one waits. */
@State(Scope.Group)
public class CrossThread extends Case {
    private static final int ROOM = 1024;
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(long[].class);

    @Param({"mimalloc", "unsafe", "libc", "c"})
    public String allocator;

    @Param("64")
    public long size;

    private Allocator from;

    /** A slot with 0 is the producer's, any other the consumer's; each hands it over by a release of what it wrote. */
    private final long[] ring = new long[ROOM];

    /** Where a thread is in the ring; only that thread looks. */
    @State(Scope.Thread)
    public static class Place {
        int next;
    }

    @Setup
    public void prepare() { from = Allocator.named(allocator); }

    @Benchmark
    @Group("handover")
    public void allocate(Place place, Control control) {
        int i = place.next;
        if (!await(i, false, control)) return;
        SLOT.setRelease(ring, i, from.malloc(size));
        place.next = i + 1 & ROOM - 1;
    }

    @Benchmark
    @Group("handover")
    public void free(Place place, Control control) {
        int i = place.next;
        if (!await(i, true, control)) return;
        from.free((long) SLOT.getAcquire(ring, i));
        SLOT.setRelease(ring, i, 0L);
        place.next = i + 1 & ROOM - 1;
    }

    /** Waits until a slot is full, or empty; when the other thread may have stopped it gives up. */
    @SuppressWarnings("ThreadPriorityCheck") // the other thread may need this processor
    private boolean await(int i, boolean full, Control control) {
        for (int spins = 0; (long) SLOT.getAcquire(ring, i) != 0 != full; spins++) {
            if (control.stopMeasurement) return false;
            if (spins < 1000) Thread.onSpinWait();
            else Thread.yield();
        }
        return true;
    }

    @TearDown
    public void empty() {
        for (int i = 0; i < ROOM; i++) {
            if (ring[i] != 0) from.free(ring[i]);
            ring[i] = 0;
        }
    }
}
