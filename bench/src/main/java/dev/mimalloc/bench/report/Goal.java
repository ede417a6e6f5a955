package dev.mimalloc.bench.report;

/** A number to reach, what was measured, and whether that reaches it. */
record Goal(String what, String target, String measured, boolean reached) {
    /** Reached to three decimals: two times of as many steps of a clock are the same, whatever a step was measured to be. */
    static Goal atMost(String what, double target, double measured) {
        return new Goal(what, "≤ " + number(target), number(measured), measured < target + 0.0005);
    }

    static String number(double value) {
        if (Math.abs(value) >= 0.995) return "%.2f".formatted(value);
        return "%.3f".formatted(value).replaceFirst("(\\.\\d\\d)0$", "$1");
    }
}
