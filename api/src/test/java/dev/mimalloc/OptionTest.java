package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.mimalloc.core.base.Options;
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
        for (Option option : Option.values()) {
            int number = Options.class.getField(option.name()).getInt(null);
            long value = 1000L + number;
            long before = option.get();
            Options.set(number, value);
            assertThat(option.get()).isEqualTo(value);
            option.set(before);
        }
    }

    @Test
    void aWrongValueIsRefusedWithWhatIsWrong() {
        assertThatIllegalArgumentException().isThrownBy(() -> Option.SHOW_STATS.set(2))
                .withMessage("SHOW_STATS cannot be 2, only 0 to 1");
        assertThatIllegalArgumentException().isThrownBy(() -> Option.PURGE_DELAY.set(-2))
                .withMessage("PURGE_DELAY cannot be -2, only -1 or more");
        assertThatIllegalArgumentException().isThrownBy(() -> Option.ARENA_RESERVE.setDefault(-1))
                .withMessage("ARENA_RESERVE cannot be -1 KiB, only 0 to 1073741824 KiB");
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> Option.PURGE_DELAY.setEnabled(true)).withMessage("PURGE_DELAY is not a switch");
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(Option.PURGE_DELAY::bytes)
                .withMessage("PURGE_DELAY is not a size");
        assertThat(Option.SHOW_STATS.get()).isZero();
    }

    @Test
    void eachOptionCanHaveItsDefault() {
        for (Option option : Option.values()) {
            assertThat(option.defaultValue()).as(option.name()).isBetween(option.min(), option.max());
            long before = option.get();
            option.set(option.defaultValue());
            assertThat(option.get()).isEqualTo(option.defaultValue());
            option.set(before);
        }
    }

    @Test
    void aKindIsWhatItSays() {
        assertThat(Option.ARENA_RESERVE.kind()).isEqualTo(Option.Kind.SIZE);
        assertThat(Option.ARENA_RESERVE.bytes()).isEqualTo(Option.ARENA_RESERVE.get() << 10);
        assertThat(Option.PURGE_DELAY.kind()).isEqualTo(Option.Kind.NUMBER);
        assertThat(Option.ARENA_IS_NUMA_LOCAL.kind()).isEqualTo(Option.Kind.SWITCH);
        Option.ARENA_IS_NUMA_LOCAL.setEnabled(true);
        assertThat(Option.ARENA_IS_NUMA_LOCAL.isEnabled()).isTrue();
        assertThat(Option.ARENA_IS_NUMA_LOCAL.get()).isEqualTo(1);
        Option.ARENA_IS_NUMA_LOCAL.setEnabled(false);
        assertThat(Option.PURGE_DELAY.variable()).isEqualTo("MIMALLOC_PURGE_DELAY");
        assertThat(Option.PURGE_DELAY.property()).isEqualTo("dev.mimalloc.purge.delay");
    }
}
