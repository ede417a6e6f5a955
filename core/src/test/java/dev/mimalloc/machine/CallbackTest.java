package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallbackTest {
    private final List<Object> calls = new ArrayList<>();

    @Test
    void eachKindReachesItsFunction() {
        Callback.DeferredFree deferred = (force, heartbeat, arg) -> calls.add(List.of(force, heartbeat, arg));
        Callback.Output output = (text, arg) -> calls.add(List.of(Text.string(text), arg));
        Callback.ErrorHandler error = (code, arg) -> calls.add(List.of(code, arg));
        Callback.BlockVisitor block = (heap, area, at, size, arg) -> calls.add(List.of(heap, area, at, size, arg));
        Callback.HeapVisitor heap = (at, arg) -> calls.add(List.of(at, arg));
        Callback.Committer committer =
                (commit, start, size, zero, arg) -> calls.add(List.of(commit, start, size, zero, arg));

        Callback.deferredFree(Callback.register(deferred), true, 1L, 2L);
        Callback.output(Callback.register(output), Text.literal("hello"), 3L);
        Callback.error(Callback.register(error), 12, 4L);
        assertThat(Callback.visitBlock(Callback.register(block), 5L, 6L, 7L, 8L, 9L)).isTrue();
        assertThat(Callback.visitHeap(Callback.register(heap), 10L, 11L)).isTrue();
        assertThat(Callback.commit(Callback.register(committer), true, 12L, 13L, 14L, 15L)).isTrue();

        assertThat(calls).containsExactly(List.of(true, 1L, 2L), List.of("hello", 3L), List.of(12, 4L),
                List.of(5L, 6L, 7L, 8L, 9L), List.of(10L, 11L), List.of(true, 12L, 13L, 14L, 15L));
    }

    @Test
    void aForgottenFunctionIsNotCalled() {
        Callback.HeapVisitor visitor = (heap, arg) -> calls.add(heap);
        long handle = Callback.register(visitor);
        assertThat(handle).isNotZero().isNotEqualTo(Callback.register(visitor));
        Callback.unregister(handle);
        Callback.unregister(0);
        assertThat(Callback.visitHeap(handle, 1, 2)).isFalse();
        assertThat(calls).isEmpty();
    }

    @Test
    void anExceptionOfTheUserGoesToTheThreadsHandler() throws InterruptedException {
        RuntimeException mine = new IllegalStateException("mine");
        Callback.DeferredFree deferred = (force, heartbeat, arg) -> { throw mine; };
        Callback.Output output = (text, arg) -> { throw mine; };
        Callback.ErrorHandler error = (code, arg) -> { throw mine; };
        Callback.BlockVisitor block = (heap, area, at, size, arg) -> { throw mine; };
        Callback.HeapVisitor heap = (at, arg) -> { throw mine; };
        Callback.Committer committer = (commit, start, size, zero, arg) -> { throw mine; };
        Callback.LimitHandler limit = (at, size, used, most) -> { throw mine; };
        List<Object> answers = new ArrayList<>();
        List<Throwable> seen = new ArrayList<>();
        Thread thread = new Thread(() -> {
            Callback.deferredFree(Callback.register(deferred), true, 1, 2);
            Callback.output(Callback.register(output), Text.literal("hello"), 3);
            Callback.error(Callback.register(error), 12, 4);
            answers.add(Callback.visitBlock(Callback.register(block), 5, 6, 7, 8, 9));
            answers.add(Callback.visitHeap(Callback.register(heap), 10, 11));
            answers.add(Callback.commit(Callback.register(committer), true, 12, 13, 14, 15));
            answers.add(Callback.limit(Callback.register(limit), 16, 17, 18, 19, 20));
            answers.add(Callback.isReporting());
        });
        thread.setUncaughtExceptionHandler((t, e) -> seen.add(e));
        thread.start();
        thread.join();
        assertThat(seen).hasSize(7).containsOnly(mine);
        assertThat(answers).containsExactly(false, false, false, false, false);
    }

    @Test
    void whoReportsIsKnown() {
        List<Boolean> seen = new ArrayList<>();
        Callback.Output output = (text, arg) -> seen.add(Callback.isReporting());
        long inner = Callback.register(output);
        Callback.ErrorHandler error = (code, arg) -> {
            Callback.output(inner, 0, 0);
            seen.add(Callback.isReporting());
        };
        Callback.error(Callback.register(error), 12, 0);
        assertThat(seen).containsExactly(true, true);
        assertThat(Callback.isReporting()).isFalse();
    }

    @Test
    void aUsersMistakeIsAnException() {
        long text = Text.literal("not a block of this allocator\n");
        String message = "not a block of this allocator: 0xbad";
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> Callback.raise(22, text, 0xbad, false)).withMessage(message);
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> Callback.raise(14, text, 0xbad, false)).withMessage(message);
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> Callback.raise(11, text, 0xbad, false)).withMessage(message);
        assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> Callback.raise(22, text, 24, true))
                .withMessage("not a block of this allocator: 24");
        assertThatCode(() -> Callback.raise(12, text, 0, true)).doesNotThrowAnyException();
        assertThatCode(() -> Callback.raise(75, text, 0, true)).doesNotThrowAnyException();
    }

    @Test
    void thereIsNoCppHere() {
        assertThat(Callback.newHandler()).isFalse();
        Callback.badAlloc();
    }
}
