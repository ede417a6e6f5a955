package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.Mimalloc;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Empty pages that wait to be freed. */
class RetireTest {
    private static final long SIZE = 416;

    /** It ran empty, waits, is used again, is full, and runs empty once more among the full ones. */
    @Test
    void aPageThatIsUsedAgainStopsWaiting() throws Exception {
        var thread = new Thread(() -> {
            Mimalloc.free(Mimalloc.malloc(SIZE));
            long block = Mimalloc.malloc(SIZE);
            long page = PageMap.pageOf(block);
            assertThat(Page.retire(page)).as("it waits").isPositive();
            List<Long> blocks = new ArrayList<>(List.of(block));
            while (!Page.has(page, Page.IN_FULL)) blocks.add(Mimalloc.malloc(SIZE));
            long last = blocks.removeLast(); // the next page's
            blocks.forEach(Mimalloc::free);
            assertThat(PageMap.pageOf(block)).as("the page of a freed block").isNotEqualTo(page);
            Mimalloc.free(last);
        });
        var failed = new ArrayList<Throwable>();
        thread.setUncaughtExceptionHandler((t, e) -> failed.add(e));
        thread.start();
        thread.join();
        assertThat(failed).isEmpty();
        Invariants.check();
    }
}
