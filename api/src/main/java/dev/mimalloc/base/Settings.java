package dev.mimalloc.base;

import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Os;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The system properties whose names begin with {@code dev.mimalloc}: a few of this module's own, and those of options,
 * which core reads. What makes no sense is told of, once: nobody would notice otherwise that it has no effect.
 */
public final class Settings {
    private static final String PREFIX = Os.PROPERTY_PREFIX;

    private Settings() {}

    /** The value of a property that is a number from 0 on; {@code otherwise} if it is not set, or is none. */
    public static long number(String name, long otherwise) {
        String value = System.getProperty(PREFIX + name);
        return value == null ? otherwise : number(name, value, otherwise);
    }

    private static long number(String name, String value, long otherwise) {
        try {
            long number = Long.decode(value);
            if (number >= 0) return number;
        } catch (NumberFormatException e) {
            // as if it were below 0
        }
        warnOfValue(name, value);
        return otherwise;
    }

    /** As {@link #number}, or from the environment variable of an option with that name. */
    public static long numberOrVariable(String name, long otherwise) {
        String value = textOrVariable(name);
        return value.isEmpty() ? otherwise : number(name, value, otherwise);
    }

    /** The value of a property, or else of the environment variable of an option with that name; "" if both are not set. */
    public static String textOrVariable(String name) {
        String value = System.getProperty(PREFIX + name);
        if (value == null) value = System.getenv("MIMALLOC_" + name.toUpperCase(Locale.ROOT).replace('.', '_'));
        return value == null ? "" : value;
    }

    /** The value of a property that can have one of these; the first if it is not set, or has another. */
    public static String choice(String name, String... values) {
        String value = System.getProperty(PREFIX + name);
        if (value == null) return values[0];
        if (List.of(values).contains(value)) return value;
        warnOfValue(name, value);
        return values[0];
    }

    /** Tells of what was read before this class could be. */
    public static void warnOfEarlyValues() {
        if (Memory.isWayRefused()) warnOfValue("memory", System.getProperty(PREFIX + "memory"));
        choice("debug", "0", "1", "2", "3");
    }

    /** The names, without {@code dev.mimalloc}, of properties that are set and not of this module's own. */
    public static List<String> others() {
        List<String> names = new ArrayList<>();
        for (String name : System.getProperties().stringPropertyNames()) {
            if (!name.startsWith(PREFIX)) continue;
            String rest = name.substring(PREFIX.length());
            if (!Os.OTHER_PROPERTIES.contains(rest)) names.add(rest);
        }
        return names;
    }

    /** Tells of a property that nobody reads. */
    public static void warnOfName(String name) { warn("there is no such property: " + PREFIX + name); }

    private static void warnOfValue(String name, String value) {
        warn("not a value for this property, its default is used: " + PREFIX + name + "=" + value);
    }

    private static void warn(String message) { System.getLogger("dev.mimalloc").log(Level.WARNING, message); }
}
