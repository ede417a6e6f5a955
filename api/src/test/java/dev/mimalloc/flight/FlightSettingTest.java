package dev.mimalloc.flight;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What may be written where a recording sets a number. */
class FlightSettingTest {
    @Test
    void settingsAreNumbersWithUnits() {
        assertThat(FlightSetting.parse("1048576")).isEqualTo(1 << 20);
        assertThat(FlightSetting.parse("512 kB")).isEqualTo(512 << 10);
        assertThat(FlightSetting.parse(" 2 MiB ")).isEqualTo(2 << 20);
        assertThat(FlightSetting.parse("3G")).isEqualTo(3L << 30);
        assertThat(FlightSetting.parse("300/s")).isEqualTo(300);
        assertThat(List.of("", "x", "-1", "1.5 kB", "999999999999999 GB", "99999999999999999999"))
                .allMatch(text -> FlightSetting.parse(text) == -1);
    }
}
