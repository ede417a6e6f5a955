package dev.mimalloc.bench.report;

/** A number to reach, what was measured, and whether that reaches it. */
record Goal(String what, String target, String measured, boolean reached) {
    static Goal atMost(String what, double target, double measured) {
        return new Goal(what, "≤ " + number(target), number(measured), measured <= target);
    }

    static String number(double value) {
        if (Math.abs(value) >= 0.995) return "%.2f".formatted(value);
        return "%.3f".formatted(value).replaceFirst("(\\.\\d\\d)0$", "$1");
    }
}
