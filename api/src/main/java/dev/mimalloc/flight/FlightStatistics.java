package dev.mimalloc.flight;

import dev.mimalloc.base.Refusal;
import dev.mimalloc.core.base.Statistics;
import dev.mimalloc.core.face.ProcessLife;
import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.page.Limits;
import dev.mimalloc.core.thread.Subprocesses;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Makes the event with the allocator's statistics. */
final class FlightStatistics {
    private FlightStatistics() {}

    static void commit() {
        var event = new FlightEvents.Statistics();
        if (!event.isEnabled()) return;
        try (Arena arena = Arena.ofConfined()) {
            long stats = arena.allocate(Statistics.SIZE, 8).address();
            Report.subprocess(Subprocesses.main(), stats);
            event.limit = Limits.processLimit();
            event.charged = Limits.processUsed();
            event.refusals = Refusal.count();
            event.inUse = Statistics.current(stats, Statistics.MALLOC_NORMAL)
                    + Statistics.current(stats, Statistics.MALLOC_HUGE);
            event.inPages = Statistics.current(stats, Statistics.PAGE_COMMITTED);
            event.inPagesPeak = Statistics.peak(stats, Statistics.PAGE_COMMITTED);
            event.committed = Statistics.current(stats, Statistics.COMMITTED);
            event.committedPeak = Statistics.peak(stats, Statistics.COMMITTED);
            event.reserved = Statistics.current(stats, Statistics.RESERVED);
            event.reservedPeak = Statistics.peak(stats, Statistics.RESERVED);
            event.pages = Statistics.current(stats, Statistics.PAGES);
            event.pagesPeak = Statistics.peak(stats, Statistics.PAGES);
            event.pagesAbandoned = Statistics.current(stats, Statistics.PAGES_ABANDONED);
            event.arenas = Statistics.total(stats, Statistics.ARENA_COUNT);
            event.heaps = Statistics.current(stats, Statistics.HEAPS);
            event.threads = Statistics.current(stats, Statistics.THREADS);
            event.purges = Statistics.total(stats, Statistics.PURGE_CALLS);
            event.purged = Statistics.total(stats, Statistics.PURGED);
            MemorySegment resident = arena.allocate(ValueLayout.JAVA_LONG, 2);
            ProcessLife.info(0, 0, 0, resident.address(), resident.address() + 8, 0, 0, 0);
            event.resident = resident.get(ValueLayout.JAVA_LONG, 0);
            event.residentPeak = resident.get(ValueLayout.JAVA_LONG, 8);
        }
        event.commit();
    }
}
