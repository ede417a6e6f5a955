package dev.mimalloc.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextTest {
    @Test
    void aLiteralIsItsBytesAndAZero() {
        long text = Text.literal("é%s");
        int[] bytes = {0xc3, 0xa9, '%', 's', 0};
        for (int i = 0; i < bytes.length; i++) assertThat(Memory.getByte(text + i)).isEqualTo(bytes[i]);
        assertThat(Text.string(text)).isEqualTo("é%s");
    }

    @Test
    void theSameTextIsAtTheSameAddress() {
        String other = String.join(" ", "out", "of", "memory");
        assertThat(Text.literal("out of memory")).isEqualTo(Text.literal(other));
        assertThat(Text.literal("out of memory")).isNotEqualTo(Text.literal("in memory"));
    }
}
