package dev.mimalloc.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.ResourceLeakDetector;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Netty's leak detector, in earnest: a buffer is dropped, and the garbage collector finds it. */
class LeakDetectionTest {
    private final MimallocByteBufAllocator allocator = new MimallocByteBufAllocator(true);
    private final ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();
    private final Queue<String> reports = new ConcurrentLinkedQueue<>();

    @BeforeEach
    void watchEachBuffer() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        ByteBufUtil.setLeakListener((type, records) -> reports.add(records));
    }

    @AfterEach
    void asBefore() {
        ResourceLeakDetector.setLevel(level);
        ByteBufUtil.setLeakListener(null);
    }

    @Test
    void reportsDirectBuffersThatWereDropped() throws InterruptedException {
        dropDirect();
        awaitReportNaming("dropDirect");
        assertThat(allocator.metric().usedDirectMemory()).isEqualTo(1234);
    }

    @Test
    void reportsCompositeBuffersThatWereDropped() throws InterruptedException {
        dropComposite();
        awaitReportNaming("dropComposite");
    }

    @Test
    void isSilentAboutBuffersThatWereReleased() throws InterruptedException {
        for (int i = 0; i < 100; i++) allocator.directBuffer().writeLong(i).release();
        dropDirect(); // so that there is something to wait for
        awaitReportNaming("dropDirect");
        assertThat(reports).allMatch(report -> report.contains("dropDirect") || report.contains("dropComposite"));
    }

    private void dropDirect() {
        ByteBuf dropped = allocator.directBuffer(1234);
        dropped.writeLong(42);
    }

    private void dropComposite() {
        allocator.compositeBuffer().addComponent(true, allocator.heapBuffer().writeLong(1));
    }

    /** The detector looks at its queue whenever it begins to track a buffer. */
    private void awaitReportNaming(String method) throws InterruptedException {
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (reports.stream().noneMatch(report -> report.contains(method))) {
            assertThat(System.nanoTime()).as("no report").isLessThan(deadline);
            System.gc();
            Thread.sleep(10);
            allocator.directBuffer().release();
        }
    }
}
