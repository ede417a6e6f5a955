package dev.mimalloc.flight;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jdk.jfr.SettingControl;

/**
 * A number that a recording may set. Of several recordings the one that wants to know more has its way. What is no
 * number changes nothing, as with the JDK's own settings.
 */
abstract class FlightSetting extends SettingControl {
    private static final Pattern AMOUNT = Pattern.compile("(\\d{1,15}) ?([kKMG]?)i?B?(/s)?");

    private final String first;
    private String value;

    private FlightSetting(long first) {
        this.first = String.valueOf(first);
        this.value = this.first;
    }

    /** The number in a text, or -1. */
    static long parse(String text) {
        Matcher match = AMOUNT.matcher(text.strip());
        if (!match.matches()) return -1;
        int power = switch (match.group(2)) {
            case "k", "K" -> 1;
            case "M" -> 2;
            case "G" -> 3;
            default -> 0;
        };
        long number = Long.parseLong(match.group(1));
        return number <= Long.MAX_VALUE >> 10 * power ? number << 10 * power : -1;
    }

    abstract long better(long one, long other);

    abstract void set(long number);

    @Override
    public String combine(Set<String> values) {
        long best = values.stream().mapToLong(FlightSetting::parse).filter(n -> n > 0).reduce(this::better).orElse(-1);
        return best < 0 ? first : String.valueOf(best);
    }

    @Override
    public void setValue(String value) {
        long number = parse(value);
        if (number <= 0) return;
        this.value = value;
        set(number);
    }

    @Override
    public String getValue() { return value; }

    /** How many bytes lie between two samples. */
    static final class Interval extends FlightSetting {
        Interval() { super(FlightSampler.INTERVAL); }

        @Override
        long better(long one, long other) { return Math.min(one, other); }
        @Override
        void set(long number) { FlightSampler.interval(number); }
    }

    /** How many samples in a second are enough to see what stays. */
    static final class LiveRate extends FlightSetting {
        LiveRate() { super(FlightSampler.LIVE_RATE); }

        @Override
        long better(long one, long other) { return Math.max(one, other); }
        @Override
        void set(long number) { FlightSampler.liveRate(number); }
    }

    /** How many samples in a second are enough for events. */
    static final class Rate extends FlightSetting {
        Rate() { super(FlightSampler.RATE); }

        @Override
        long better(long one, long other) { return Math.max(one, other); }
        @Override
        void set(long number) { FlightSampler.rate(number); }
    }
}
