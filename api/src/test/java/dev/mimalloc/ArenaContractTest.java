package dev.mimalloc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** What each kind of arena promises: the JDK's own run through the same tests, so ours are like them. */
class ArenaContractTest {
    private static Heap heap;
    private static Heap autoHeap;

    @SuppressWarnings("ImmutableEnumChecker") // the makers have no state
    enum Kind {
        JDK_CONFINED(Arena::ofConfined),
        CONFINED(Arenas::ofConfined),
        CONFINED_UNINITIALIZED(() -> Arenas.main().uninitialized().confined()),
        CONFINED_IN_HEAP(() -> Arenas.in(heap).confined()),
        JDK_SHARED(Arena::ofShared),
        SHARED(Arenas::ofShared),
        SHARED_UNINITIALIZED(() -> Arenas.main().uninitialized().shared()),
        SHARED_IN_HEAP(() -> Arenas.in(heap).shared()),
        JDK_AUTO(Arena::ofAuto),
        AUTO(Arenas::ofAuto),
        AUTO_UNINITIALIZED(() -> Arenas.main().uninitialized().auto()),
        AUTO_IN_HEAP(() -> Arenas.in(autoHeap).auto());

        private final Supplier<Arena> maker;

        Kind(Supplier<Arena> maker) { this.maker = maker; }

        Arena open() { return maker.get(); }

        boolean isConfined() { return name().contains("CONFINED"); }
        boolean isAuto() { return name().contains("AUTO"); }
        boolean isZeroed() { return !name().contains("UNINITIALIZED"); }
    }

    @BeforeAll
    static void makeHeaps() {
        heap = Heap.create();
        autoHeap = Heap.create();
    }

    /** Every arena in it has been closed by now, or this refuses. */
    @AfterAll
    static void closeHeap() { heap.close(); }

    private static void close(Kind kind, Arena arena) {
        if (!kind.isAuto()) arena.close();
    }

    @ParameterizedTest
    @EnumSource
    void segmentsHaveTheirSizeAndAlignmentAndDoNotOverlap(Kind kind) {
        Arena arena = kind.open();
        TreeMap<Long, Long> ends = new TreeMap<>();
        List<MemorySegment> segments = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            long size = i % 97 == 0 ? 40_000L * i : i * 7L % 300;
            long alignment = 1L << i % (i % 50 == 0 ? 21 : 9);
            MemorySegment segment = arena.allocate(size, alignment);
            assertThat(segment.byteSize()).isEqualTo(size);
            assertThat(segment.address() & alignment - 1).isZero();
            assertThat(segment.isNative()).isTrue();
            assertThat(segment.scope()).isEqualTo(arena.scope());
            assertThat(ends.put(segment.address(), segment.address() + Math.max(size, 1))).isNull();
            segment.fill((byte) i);
            segments.add(segment);
        }
        long last = 0;
        for (var range : ends.entrySet()) {
            assertThat(range.getKey()).isGreaterThanOrEqualTo(last);
            last = range.getValue();
        }
        for (int i = 0; i < segments.size(); i++) {
            MemorySegment segment = segments.get(i);
            if (segment.byteSize() == 0) continue;
            assertThat(segment.get(JAVA_BYTE, 0)).isEqualTo((byte) i);
            assertThat(segment.get(JAVA_BYTE, segment.byteSize() - 1)).isEqualTo((byte) i);
        }
        close(kind, arena);
    }

    @ParameterizedTest
    @EnumSource
    void segmentsAreZeroedWhateverWasThereBefore(Kind kind) {
        for (int round = 0; round < 20; round++) {
            Arena arena = kind.open();
            for (int i = 0; i < 100; i++) {
                MemorySegment segment = arena.allocate(i * 37L % 2000 + (long) round * i, 8);
                if (kind.isZeroed()) assertThat(segment.mismatch(zeros(segment.byteSize()))).isEqualTo(-1);
                segment.fill((byte) 0xAA);
            }
            close(kind, arena);
        }
    }

    private static MemorySegment zeros(long size) { return MemorySegment.ofArray(new byte[(int) size]); }

    @ParameterizedTest
    @EnumSource
    void accessIsWithinBounds(Kind kind) {
        Arena arena = kind.open();
        MemorySegment segment = arena.allocate(24, 8);
        segment.set(JAVA_LONG, 16, 1);
        assertThatThrownBy(() -> segment.set(JAVA_LONG, 24, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> segment.get(JAVA_BYTE, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        close(kind, arena);
    }

    @ParameterizedTest
    @EnumSource
    void badArgumentsAreRefused(Kind kind) {
        Arena arena = kind.open();
        for (int allocated = 0; allocated < 2; allocated++) {
            assertThatThrownBy(() -> arena.allocate(-1, 8)).isInstanceOf(IllegalArgumentException.class);
            for (long alignment : new long[] {0, -1, 3, 24, Long.MIN_VALUE}) {
                assertThatThrownBy(() -> arena.allocate(8, alignment)).isInstanceOf(IllegalArgumentException.class);
            }
            arena.allocate(8, 8);
        }
        close(kind, arena);
    }

    @ParameterizedTest
    @EnumSource
    void withoutMemoryItStaysAsItIs(Kind kind) {
        Arena arena = kind.open();
        for (int allocated = 0; allocated < 2; allocated++) {
            assertThatThrownBy(() -> arena.allocate(Long.MAX_VALUE, 1)).isInstanceOf(OutOfMemoryError.class);
            assertThatThrownBy(() -> arena.allocate(1L << 60, 64)).isInstanceOf(OutOfMemoryError.class);
            assertThatThrownBy(() -> arena.allocate(8, 1L << 62)).isInstanceOf(OutOfMemoryError.class);
            arena.allocate(8, 8).set(JAVA_LONG, 0, 5);
        }
        close(kind, arena);
    }

    @ParameterizedTest
    @EnumSource
    void zeroBytesHaveAnAddressOfTheirOwn(Kind kind) {
        Arena arena = kind.open();
        long first = arena.allocate(0, 1).address();
        long second = arena.allocate(0, 1).address();
        assertThat(first).isNotZero().isNotEqualTo(second);
        close(kind, arena);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*AUTO.*")
    void nothingWorksAfterClose(Kind kind) {
        Arena arena = kind.open();
        MemorySegment segment = arena.allocate(64, 8);
        MemorySegment slice = segment.asSlice(8, 8);
        ByteBuffer buffer = segment.asByteBuffer();
        assertThat(arena.scope().isAlive()).isTrue();
        arena.close();
        assertThat(arena.scope().isAlive()).isFalse();
        assertThat(segment.scope().isAlive()).isFalse();
        assertClosed(() -> segment.get(JAVA_LONG, 0));
        assertClosed(() -> slice.set(JAVA_LONG, 0, 1));
        assertClosed(() -> segment.fill((byte) 1));
        assertClosed(() -> MemorySegment.copy(segment, 0, segment, 8, 8));
        assertClosed(() -> buffer.get(0));
        assertClosed(() -> arena.allocate(8, 8));
        assertClosed(arena::close);
    }

    private static void assertClosed(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IllegalStateException.class).hasMessageContaining("losed");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*AUTO.*")
    void anAutomaticArenaCannotBeClosed(Kind kind) {
        Arena arena = kind.open();
        MemorySegment segment = arena.allocate(8, 8);
        assertThatThrownBy(arena::close).isInstanceOf(UnsupportedOperationException.class);
        segment.set(JAVA_LONG, 0, 1);
    }

    @ParameterizedTest
    @EnumSource
    void otherThreadsMayOnlyUseWhatIsNotConfined(Kind kind) throws InterruptedException {
        Arena arena = kind.open();
        MemorySegment segment = arena.allocate(8, 8);
        segment.set(JAVA_LONG, 0, 0); // in an uninitialized arena it may be anything
        Thread current = Thread.currentThread();
        List<Throwable> thrown = new ArrayList<>();
        Thread other = new Thread(() -> {
            thrown.add(catchThrowable(() -> segment.set(JAVA_LONG, 0, 7)));
            thrown.add(catchThrowable(() -> arena.allocate(8, 8)));
            if (!kind.isAuto()) thrown.add(catchThrowable(arena::close));
        });
        assertThat(segment.isAccessibleBy(current)).isTrue();
        assertThat(segment.isAccessibleBy(other)).isEqualTo(!kind.isConfined());
        other.start();
        other.join();
        if (kind.isConfined()) {
            assertThat(thrown).hasSize(3).allSatisfy(t -> assertThat(t).isInstanceOf(WrongThreadException.class));
            assertThat(segment.get(JAVA_LONG, 0)).isZero();
            arena.close();
        } else {
            assertThat(thrown).containsOnlyNulls();
            assertThat(arena.scope().isAlive()).isEqualTo(kind.isAuto());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*AUTO.*")
    void closeActionsRunOnceAndMayThrow(Kind kind) {
        AtomicInteger runs = new AtomicInteger();
        Arena arena = kind.open();
        MemorySegment segment = arena.allocate(16, 8);
        MemorySegment.ofAddress(segment.address()).reinterpret(16, arena, ended -> runs.incrementAndGet());
        MemorySegment.ofAddress(segment.address()).reinterpret(16, arena, ended -> {
            runs.incrementAndGet();
            throw new IllegalArgumentException("on purpose");
        });
        assertThatThrownBy(arena::close).isInstanceOf(IllegalArgumentException.class).hasMessage("on purpose");
        assertThat(runs).hasValue(2);
        assertThat(arena.scope().isAlive()).isFalse();
        assertClosed(arena::close);
        assertThat(runs).hasValue(2);
    }

    /** What an action may try with the arena that it runs for; all of that is refused. */
    private static void tryEverything(Arena arena, MemorySegment segment, List<Throwable> refused) {
        refused.add(catchThrowable(arena::close));
        refused.add(catchThrowable(() -> arena.allocate(8, 8)));
        refused.add(catchThrowable(() -> arena.allocate(100_000, 64)));
        refused.add(catchThrowable(() -> segment.get(JAVA_BYTE, 0)));
        refused.add(catchThrowable(() -> segment.reinterpret(arena, ended -> {})));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*AUTO.*")
    void aCloseActionFindsTheArenaClosed(Kind kind) {
        for (int round = 0; round < 50; round++) {
            Arena arena = kind.open();
            List<Throwable> refused = new ArrayList<>();
            int actions = 1 + round % 3;
            for (int i = 0; i < actions; i++) {
                MemorySegment segment = arena.allocate(5000, 8);
                segment.reinterpret(arena, ended -> tryEverything(arena, segment, refused));
                for (int j = 0; j < round % 7; j++) arena.allocate(j * 3000L, 8);
            }
            arena.close();
            assertThat(refused).hasSize(5 * actions)
                    .allSatisfy(t -> assertThat(t).isInstanceOf(IllegalStateException.class));
            assertThat(refused.get(0)).hasMessageContaining("losed");
            assertClosed(arena::close);
            assertMemoryIsWhole(kind);
        }
    }

    /** As when an action does not catch what its own close throws. */
    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*AUTO.*")
    void aCloseActionThatClosesAndThrows(Kind kind) {
        for (int round = 0; round < 50; round++) {
            Arena arena = kind.open();
            AtomicInteger runs = new AtomicInteger();
            for (int i = 0; i < 3; i++) {
                arena.allocate(3000, 8).reinterpret(arena, ended -> {
                    runs.incrementAndGet();
                    arena.close();
                });
            }
            assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class);
            assertThat(runs).hasValue(3);
            assertThat(arena.scope().isAlive()).isFalse();
            assertClosed(arena::close);
            assertMemoryIsWhole(kind);
        }
    }

    /** If a block had been freed twice, two of these would have it. */
    private static void assertMemoryIsWhole(Kind kind) {
        Arena first = kind.open();
        Arena second = kind.open();
        List<MemorySegment> segments = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            segments.add((i % 2 == 0 ? first : second).allocate(i % 3 == 0 ? 5000 : 3000, 8).fill((byte) i));
        }
        for (int i = 0; i < 40; i++) {
            assertThat(segments.get(i).mismatch(filled((int) segments.get(i).byteSize(), i))).isEqualTo(-1);
        }
        second.close();
        first.close();
    }

    /**
     * An action still has its segment's memory, and so it must not be anybody else's yet. The JDK keeps to that but for
     * its first segment.
     */
    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = {".*AUTO.*", "JDK.*"})
    void memoryIsFreedWhenAllActionsHaveRun(Kind kind) {
        for (int round = 0; round < 20; round++) {
            boolean fails = round % 2 == 1;
            Arena arena = kind.open();
            List<MemorySegment> others = new ArrayList<>();
            AtomicInteger whole = new AtomicInteger();
            for (int i = 0; i < 20; i++) {
                int value = i;
                int size = i % 3 == 0 ? 300_000 : 400;
                arena.allocate(size, 8).fill((byte) i).reinterpret(arena, ended -> {
                    others.add(Mimalloc.allocate(size, 8).fill((byte) 0x55));
                    if (ended.mismatch(filled(size, value)) == -1) whole.incrementAndGet();
                    if (fails) throw new IllegalArgumentException("on purpose");
                });
            }
            if (fails) assertThatThrownBy(arena::close).isInstanceOf(IllegalArgumentException.class);
            else arena.close();
            assertThat(whole).hasValue(20);
            others.forEach(Mimalloc::free);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*AUTO.*")
    void aCloseActionMayUseOtherArenas(Kind kind) {
        Arena outer = kind.open();
        Arena inner = kind.open();
        AtomicInteger runs = new AtomicInteger();
        outer.allocate(100, 8).reinterpret(outer, ended -> {
            inner.close();
            try (Arena brief = kind.open()) {
                brief.allocate(10_000, 8).fill((byte) 1);
            }
        });
        inner.allocate(100, 8).reinterpret(inner, ended -> {
            runs.incrementAndGet();
            assertClosed(outer::close);
        });
        outer.close();
        assertThat(runs).hasValue(1);
        assertThat(inner.scope().isAlive()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void nativeCodeTakesTheSegmentsAndHoldsTheArenaOpen(Kind kind) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle qsort = linker.downcallHandle(linker.defaultLookup().findOrThrow("qsort"),
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS));
        Arena arena = kind.open();
        MemorySegment numbers = arena.allocateFrom(JAVA_INT, 5, 3, 9, 1);
        AtomicReference<Throwable> refused = new AtomicReference<>();
        try (Arena stubs = Arena.ofConfined()) {
            Comparison comparison = (a, b) -> {
                if (!kind.isAuto()) refused.set(catchThrowable(arena::close));
                return Integer.compare(a.reinterpret(4).get(JAVA_INT, 0), b.reinterpret(4).get(JAVA_INT, 0));
            };
            MethodHandle handle = MethodHandles.lookup().findVirtual(Comparison.class, "compare",
                    MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class)).bindTo(comparison);
            qsort.invokeExact(numbers, 4L, 4L, linker.upcallStub(handle,
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS), stubs));
        }
        assertThat(numbers.toArray(JAVA_INT)).containsExactly(1, 3, 5, 9);
        if (!kind.isAuto()) assertThat(refused.get()).isInstanceOf(IllegalStateException.class);
        close(kind, arena);
    }

    @FunctionalInterface
    interface Comparison { int compare(MemorySegment a, MemorySegment b); }

    @ParameterizedTest
    @EnumSource
    void theJdkTakesItAsAnArena(Kind kind, @TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "contents");
        Arena arena = kind.open();
        MemorySegment mapped;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 8, arena);
        }
        assertThat(mapped.get(JAVA_BYTE, 0)).isEqualTo((byte) 'c');
        assertThat(arena.allocateFrom("text").getString(0)).isEqualTo("text");
        close(kind, arena);
        if (!kind.isAuto()) assertClosed(() -> mapped.get(JAVA_BYTE, 0));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*SHARED.*")
    void closeWhileOthersReadAndAllocate(Kind kind) throws InterruptedException {
        for (int round = 0; round < 15; round++) {
            Arena arena = kind.open();
            MemorySegment segment = arena.allocate(4096, 8);
            AtomicBoolean wrong = new AtomicBoolean();
            CountDownLatch running = new CountDownLatch(3);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                boolean allocates = i == 2;
                threads.add(Thread.ofPlatform().start(() -> {
                    for (long n = 0;; n++) {
                        try {
                            MemorySegment used = allocates ? arena.allocate(48, 8) : segment;
                            if (used.get(JAVA_LONG, 8 * (n % 6)) != 0 && kind.isZeroed()) wrong.set(true);
                        } catch (IllegalStateException e) {
                            if (arena.scope().isAlive()) wrong.set(true);
                            return;
                        }
                        if (n == 100) running.countDown();
                    }
                }));
            }
            running.await();
            while (true) {
                try {
                    arena.close();
                    break;
                } catch (IllegalStateException e) {
                    assertThat(arena.scope().isAlive()).isTrue();
                }
            }
            for (Thread thread : threads) thread.join();
            assertThat(wrong).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*CONFINED.*")
    void arenasEndInAnyOrder(Kind kind) {
        List<Arena> arenas = new ArrayList<>();
        List<MemorySegment> segments = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            arenas.add(kind.open());
            for (int j = 0; j <= i; j++) arenas.get(j).allocate(100, 8).fill((byte) -1);
            segments.add(arenas.get(i).allocate(200, 8).fill((byte) i));
        }
        for (int i : new int[] {3, 0, 9, 1, 5, 2, 8, 4, 7, 6}) {
            assertThat(segments.get(i).mismatch(filled(200, i))).isEqualTo(-1);
            arenas.get(i).close();
        }
    }

    private static MemorySegment filled(int size, int value) {
        return MemorySegment.ofArray(new byte[size]).fill((byte) value);
    }

    @ParameterizedTest
    @EnumSource
    void worksInVirtualThreads(Kind kind) throws InterruptedException {
        AtomicInteger done = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int value = i;
            threads.add(Thread.startVirtualThread(() -> {
                Arena arena = kind.open();
                MemorySegment segment = arena.allocate(64 + value, 8).fill((byte) value);
                LockSupport.parkNanos(1000); // it may go on elsewhere
                if (segment.get(JAVA_BYTE, 63) == (byte) value) done.incrementAndGet();
                close(kind, arena);
            }));
        }
        for (Thread thread : threads) thread.join();
        assertThat(done).hasValue(200);
    }
}
