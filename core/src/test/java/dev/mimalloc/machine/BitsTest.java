package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BitsTest {
    @Test
    void zeroHasSixtyFourZeros() {
        assertThat(Bits.trailingZeros(0)).isEqualTo(64);
        assertThat(Bits.leadingZeros(0)).isEqualTo(64);
        assertThat(Bits.count(0)).isZero();
    }

    @Test
    void countsAroundEachBit() {
        for (int bit = 0; bit < 64; bit++) {
            assertThat(Bits.trailingZeros(1L << bit)).isEqualTo(bit);
            assertThat(Bits.trailingZeros(-1L << bit)).isEqualTo(bit);
            assertThat(Bits.leadingZeros(1L << bit)).isEqualTo(63 - bit);
            assertThat(Bits.count(-1L << bit)).isEqualTo(64 - bit);
        }
    }

    @Test
    void comparesAndMultipliesWithoutASign() {
        assertThat(Bits.below(1, -1)).isTrue();
        assertThat(Bits.below(-1, 1)).isFalse();
        assertThat(Bits.below(5, 5)).isFalse();
        assertThat(Bits.multiplyHigh(-1, -1)).isEqualTo(-2);
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            long a = random.nextLong(), b = random.nextLong();
            assertThat(Bits.multiplyHigh(a, b)).isEqualTo(unsigned(a).multiply(unsigned(b)).shiftRight(64).longValue());
        }
    }

    private static BigInteger unsigned(long bits) { return new BigInteger(Long.toUnsignedString(bits)); }
}
