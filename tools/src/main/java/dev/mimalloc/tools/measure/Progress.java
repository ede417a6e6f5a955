package dev.mimalloc.tools.measure;

import java.io.PrintWriter;

/** What is being done now: one line that is written over on a terminal, a line for each step elsewhere. */
public final class Progress {
    private static final int BAR = 24;

    private final PrintWriter out;
    private final boolean terminal;
    private final int steps;
    private final long start = System.nanoTime();
    private int done;

    /** For a task of so many steps. */
    public Progress(PrintWriter out, int steps) {
        this.out = out;
        this.steps = steps;
        this.terminal = onTerminal() && !"dumb".equals(System.getenv("TERM"));
    }

    // JDK 22 to 24 answer with a console in any case, the others with null when there is no terminal.
    @SuppressWarnings("SystemConsoleNull")
    private static boolean onTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    /** Begins a step. */
    public void step(String what) {
        int filled = steps == 0 ? 0 : done * BAR / steps;
        done++;
        if (terminal) {
            out.printf("\r\033[2K%s%s %3d%% %s  %s", "#".repeat(filled), ".".repeat(BAR - filled),
                    (done - 1) * 100 / Math.max(steps, 1), elapsed(), what);
        } else {
            out.printf("[%2d/%d] %s  %s%n", done, steps, elapsed(), what);
        }
        out.flush();
    }

    /** Leaves out steps that will not be done. */
    public void skip(int count) { done += count; }

    /** The steps begun so far. */
    public int done() { return done; }

    /** A line that stays. */
    public void say(String text) {
        out.printf(terminal ? "\r\033[2K%s%n" : "%s%n", text);
        out.flush();
    }

    private String elapsed() {
        long seconds = (System.nanoTime() - start) / 1_000_000_000;
        return "%d:%02d".formatted(seconds / 60, seconds % 60);
    }
}
