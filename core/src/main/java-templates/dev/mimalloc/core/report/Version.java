package dev.mimalloc.core.report;

import dev.mimalloc.core.base.Printer;
import dev.mimalloc.machine.Text;

/** What this is, and of which version; the build fills in the number. */
final class Version {
    private Version() {}

    /** native/cmake reads the version here, from the C source. */
    static void print(long printer) {
        Printer.text(printer, Text.literal("mimalloc in Java ${project.version}, interface v3.6.0\n"));
    }
}
