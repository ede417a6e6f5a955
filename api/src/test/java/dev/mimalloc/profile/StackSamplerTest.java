package dev.mimalloc.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What is kept of samples. This package is the allocator's: stacks begin with whoever calls it, the JDK here. */
class StackSamplerTest {
    private static final int BYTES = 100;

    private static String innermost(CountedStack stack) { return stack.frames()[0].name(); }

    private static void sample(StackSampler sampler, long block) { sampler.allocated(block, BYTES, BYTES, BYTES, 0); }

    @Test
    void whatIsTooMuchCountsForTheOthers() {
        var sampler = new StackSampler(1, 2);
        for (long i = 0; i < 8; i += 4) { // the second time, no stack is a new one
            List.of(i).forEach(block -> sample(sampler, block));
            Set.of(i + 1).forEach(block -> sample(sampler, block));
            LongStream.of(i + 2).forEach(block -> sample(sampler, block));
            new ConcurrentLinkedQueue<>(List.of(i + 3)).forEach(block -> sample(sampler, block));
        }
        List<CountedStack> stacks = sampler.stacks();
        assertThat(stacks).hasSize(3);
        CountedStack others = stacks.getLast();
        assertThat(innermost(others)).isEqualTo("[other stacks]");
        assertThat(others.counts()).containsExactly(4, 4 * BYTES, 4, 4 * BYTES);
        sampler.freed(6);
        assertThat(others.counts()).containsExactly(4, 4 * BYTES, 3, 3 * BYTES);
        for (CountedStack stack : stacks.subList(0, 2)) assertThat(stack.counts()).containsExactly(2, 2 * BYTES, 2, 2 * BYTES);
    }

    /** A thread whose stack is full does not tell of a free. */
    @Test
    void anAddressThatComesAgainWasFreed() {
        var sampler = new StackSampler(1, 10);
        for (int i = 0; i < 3; i++) List.of(1L).forEach(block -> sample(sampler, block));
        sampler.freed(2); // of somebody else
        assertThat(sampler.stacks()).singleElement()
                .satisfies(stack -> assertThat(stack.counts()).containsExactly(3, 3 * BYTES, 1, BYTES));
    }

    @Test
    void partsOfObjectsAddUp() {
        var stack = new CountedStack(Frame.named("here"));
        long parts = CountedStack.parts(1000, 1333);
        for (int i = 0; i < 3000; i++) stack.allocated(parts, 1333);
        assertThat(stack.counts()).containsExactly(3999, 3_999_000, 3999, 3_999_000);
        for (int i = 0; i < 3000; i++) stack.freed(parts, 1333);
        assertThat(stack.counts()).containsExactly(3999, 3_999_000, 0, 0);
    }

    @Test
    void equalOnesAreThereOnceWhoeverComesFirst() throws Exception {
        var interned = new Interned<String>();
        Thread[] threads = new Thread[4];
        String[][] found = new String[threads.length][20_000];
        for (int t = 0; t < threads.length; t++) {
            String[] own = found[t];
            threads[t] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < own.length; i++) own[i] = interned.add("text " + i);
            });
        }
        for (Thread thread : threads) thread.join();
        assertThat(interned.size()).isEqualTo(20_000);
        assertThat(interned.all()).doesNotHaveDuplicates().hasSize(20_000);
        for (String[] own : found) for (int i = 0; i < own.length; i++) assertThat(own[i]).isSameAs(found[0][i]);
        assertThat(interned.find("no such text")).isNull();
    }
}
