package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class MemoryTest {
    @Test
    void theRootIsZeroedAndAlignedAndStays() {
        long root = Memory.root();
        assertThat(root % 64).isZero();
        assertThat(Memory.root()).isEqualTo(root);
        long last = root + (64 << 10) - 8;
        assertThat(Memory.getLong(last)).isZero();
        Memory.putLong(last, 1);
        assertThat(Memory.getLong(last)).isOne();
        Memory.putLong(last, 0);
    }

    @Test
    void bytesAndShortsAreUnsigned() {
        try (Arena arena = Arena.ofConfined()) {
            long a = arena.allocate(8).address();
            Memory.putByte(a, 0x1ff);
            Memory.putShort(a + 2, 0x1ffff);
            assertThat(Memory.getByte(a)).isEqualTo(0xff);
            assertThat(Memory.getByte(a + 1)).isZero();
            assertThat(Memory.getShort(a + 2)).isEqualTo(0xffff);
            assertThat(Memory.getShort(a + 4)).isZero();
        }
    }

    @Test
    void theLowestByteOfALittleEndianWordIsItsFirst() {
        try (Arena arena = Arena.ofConfined()) {
            long a = arena.allocate(8).address();
            for (int i = 0; i < 8; i++) Memory.putByte(a + i, 0x10 + i);
            assertThat(Memory.getLittleEndian(a)).isEqualTo(0x1716151413121110L);
            Memory.putLittleEndian(a, 0x2726252423222120L);
            for (int i = 0; i < 8; i++) assertThat(Memory.getByte(a + i)).isEqualTo(0x20 + i);
        }
    }

    @Test
    void fillTakesTheLowestByte() {
        try (Arena arena = Arena.ofConfined()) {
            long a = arena.allocate(16).address();
            Memory.fill(a, 8, 0x1234);
            assertThat(Memory.getLong(a)).isEqualTo(0x3434343434343434L);
            assertThat(Memory.getLong(a + 8)).isZero();
        }
    }

    @Test
    void adviceChangesNothing() {
        assertThat(Memory.likely(true)).isTrue();
        assertThat(Memory.unlikely(false)).isFalse();
        Memory.pause();
    }
}
