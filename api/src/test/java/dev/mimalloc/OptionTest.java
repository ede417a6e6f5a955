package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.core.Options;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class OptionTest {
    @Test
    void anOptionIsSetAndRead() {
        long before = Option.MAX_WARNINGS.get();
        Option.MAX_WARNINGS.set(7);
        assertThat(Option.MAX_WARNINGS.get()).isEqualTo(7);
        Option.MAX_WARNINGS.setDefault(9);
        assertThat(Option.MAX_WARNINGS.get()).isEqualTo(7);
        Option.MAX_WARNINGS.set(before);
    }

    @Test
    void theDefaultsAreThoseOfTheInterface() {
        assertThat(Option.PURGE_DELAY.get()).isEqualTo(1000);
        assertThat(Option.ARENA_RESERVE.get()).isEqualTo(1 << 20);
        assertThat(Option.RESERVE_HUGE_OS_PAGES_AT.get()).isEqualTo(-1);
    }

    @Test
    void eachOptionOfCoreHasItsName() throws Exception {
        for (Field field : Options.class.getFields()) {
            if (field.getName().startsWith("DEPRECATED")) continue;
            assertThat(Modifier.isStatic(field.getModifiers())).isTrue();
            long value = 1000L + field.getInt(null);
            Option option = Option.valueOf(field.getName());
            long before = option.get();
            Options.set(field.getInt(null), value);
            assertThat(option.get()).isEqualTo(value);
            option.set(before);
        }
        assertThat(Option.values()).hasSize((int) Arrays.stream(Options.class.getFields())
                .filter(field -> !field.getName().startsWith("DEPRECATED")).count());
    }
}
