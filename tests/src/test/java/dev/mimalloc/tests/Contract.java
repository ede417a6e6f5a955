package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** One topic of the behaviour that all machines share; {@link AllocatorContract} puts the topics together. */
abstract class Contract {
    final Allocator allocator;
    final LiveBlocks live;

    Contract(Allocator allocator) {
        this.allocator = allocator;
        this.live = new LiveBlocks(allocator);
    }

    @BeforeEach
    void forgetEarlierErrors() {
        allocator.takeError();
    }

    @AfterEach
    void freeWhatIsLeft() {
        live.freeAll();
    }

    /** Expects a refusal: nothing allocated, and one of the codes. */
    void assertRefused(long result, Integer... codes) {
        assertThat(result).as("result").isZero();
        assertError(codes);
    }

    void assertError(Integer... codes) {
        assertThat(allocator.takeError()).as("error code").isIn((Object[]) codes);
    }

    void assertNoError() {
        assertThat(allocator.takeError()).as("error code").isZero();
    }

    void assertZero(long block, long from, long to) {
        long dirty = Raw.firstDirty(block + from, to - from);
        long offset = dirty < 0 ? -1 : from + dirty;
        assertThat(offset).as("offset of the first byte of 0x%x that is not zero", block).isEqualTo(-1);
    }

    /** Dirties so many blocks of a size and frees them, so that the next ones are not fresh from the OS. */
    void leaveDirt(long size, int blocks) {
        long[] dirty = new long[blocks];
        for (int i = 0; i < blocks; i++) {
            dirty[i] = allocator.malloc(size);
            Raw.fill(dirty[i], allocator.usableSize(dirty[i]), 0xDB);
        }
        for (long block : dirty) allocator.free(block);
    }
}
