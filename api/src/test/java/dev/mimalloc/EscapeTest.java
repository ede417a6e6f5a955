package dev.mimalloc;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Exchanger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Segments that get out of where they belong: whoever has them, they know when they have ended. */
class EscapeTest {
    @SuppressWarnings("ImmutableEnumChecker") // the makers have no state
    enum Kind {
        JDK_CONFINED(Arena::ofConfined), CONFINED(Arenas::ofConfined),
        JDK_SHARED(Arena::ofShared), SHARED(Arenas::ofShared);

        private final Supplier<Arena> maker;

        Kind(Supplier<Arena> maker) { this.maker = maker; }
    }

    private static MemorySegment escaped(Kind kind) {
        try (Arena arena = kind.maker.get()) {
            return arena.allocate(64, 8).fill((byte) 5);
        }
    }

    @ParameterizedTest
    @EnumSource
    void returnedFromTheTryBlock(Kind kind) {
        MemorySegment segment = escaped(kind);
        // Another arena has the same memory by now: the old segment must not show it.
        try (Arena arena = kind.maker.get()) {
            MemorySegment other = arena.allocate(64, 8);
            for (Runnable use : uses(segment)) assertThatThrownBy(use::run).isInstanceOf(IllegalStateException.class);
            assertThat(other.get(JAVA_LONG, 0)).isZero();
        }
    }

    /** Ways to use a segment, and what was derived from it. */
    private static List<Runnable> uses(MemorySegment segment) {
        return List.of(() -> segment.get(JAVA_BYTE, 0), () -> segment.set(JAVA_LONG, 8, 1),
                () -> segment.fill((byte) 1),
                () -> segment.asSlice(8).get(JAVA_BYTE, 0), () -> segment.asReadOnly().get(JAVA_BYTE, 0),
                () -> segment.asByteBuffer().get(0), () -> segment.toArray(JAVA_BYTE), () -> segment.getString(0),
                () -> segment.copyFrom(MemorySegment.ofArray(new byte[8])),
                () -> MemorySegment.ofArray(new byte[64]).copyFrom(segment),
                () -> segment.mismatch(MemorySegment.ofArray(new byte[64])));
    }

    @ParameterizedTest
    @EnumSource
    void keptAsABufferOrAStream(Kind kind) {
        ByteBuffer buffer;
        var elements = new ArrayList<MemorySegment>();
        try (Arena arena = kind.maker.get()) {
            MemorySegment segment = arena.allocate(64, 8);
            buffer = segment.asSlice(16).asByteBuffer();
            segment.elements(JAVA_LONG).forEach(elements::add);
        }
        assertThatThrownBy(() -> buffer.put(0, (byte) 1)).isInstanceOf(IllegalStateException.class);
        for (MemorySegment element : elements) {
            assertThatThrownBy(() -> element.get(JAVA_LONG, 0)).isInstanceOf(IllegalStateException.class);
        }
    }

    /** The other thread uses it while the arena is open, if it may, and again when it has been closed. */
    @ParameterizedTest
    @EnumSource
    void storedInAnotherThread(Kind kind) throws Exception {
        var handOver = new Exchanger<MemorySegment>();
        var open = new AtomicReference<Throwable>();
        var closed = new AtomicReference<Throwable>();
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                MemorySegment segment = handOver.exchange(null);
                open.set(catchThrowable(() -> segment.set(JAVA_LONG, 0, 77)));
                handOver.exchange(segment);
                handOver.exchange(null); // the arena has been closed
                closed.set(catchThrowable(() -> segment.set(JAVA_LONG, 0, 78)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        boolean confined = kind.name().contains("CONFINED");
        try (Arena arena = kind.maker.get()) {
            MemorySegment segment = arena.allocate(8, 8);
            handOver.exchange(segment);
            handOver.exchange(null);
            assertThat(segment.get(JAVA_LONG, 0)).isEqualTo(confined ? 0 : 77);
        }
        handOver.exchange(null);
        other.join();
        if (confined) assertThat(open.get()).isInstanceOf(WrongThreadException.class);
        else assertThat(open.get()).isNull();
        assertThat(closed.get()).isInstanceOfAny(IllegalStateException.class, WrongThreadException.class);
    }

    /** The thread that had the arena has ended without closing it: nobody else ever can, and the memory stays. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = ".*CONFINED")
    void theOwnerHasEnded(Kind kind) throws InterruptedException {
        var arena = new AtomicReference<Arena>();
        var segment = new AtomicReference<MemorySegment>();
        Thread owner = Thread.ofPlatform().start(() -> {
            arena.set(kind.maker.get());
            segment.set(arena.get().allocate(8, 8));
        });
        owner.join();
        assertThat(segment.get().scope().isAlive()).isTrue();
        assertThatThrownBy(() -> segment.get().get(JAVA_LONG, 0)).isInstanceOf(WrongThreadException.class);
        assertThatThrownBy(() -> arena.get().close()).isInstanceOf(WrongThreadException.class);
    }
}
