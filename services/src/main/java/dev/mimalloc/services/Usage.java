package dev.mimalloc.services;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/**
 * What some processes use. Of resident memory that several of them share each counts its part, so that the sum is right.
 *
 * @param residentKib    the sum of the proportional set sizes
 * @param privateKib     what of that is anonymous memory, as a heap is
 * @param cpuSeconds     the time of all threads, and of children that have ended
 */
record Usage(double residentKib, double privateKib, double cpuSeconds) {
    // Linux counts a process' time in this unit wherever it tells it to programs.
    private static final double TICKS_PER_SECOND = 100;

    static Usage of(Collection<ProcessHandle> processes) {
        double resident = 0, anonymous = 0, cpu = 0;
        for (ProcessHandle process : processes) {
            Path folder = Path.of("/proc/" + process.pid());
            try {
                for (String line : Files.readAllLines(folder.resolve("smaps_rollup"))) {
                    if (line.startsWith("Pss:")) resident += number(line);
                    if (line.startsWith("Pss_Anon:")) anonymous += number(line);
                }
                // A command's name may have blanks and brackets in it.
                String stat = Files.readString(folder.resolve("stat"), StandardCharsets.ISO_8859_1);
                String[] words = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
                for (int i = 11; i < 15; i++) cpu += Long.parseLong(words[i]) / TICKS_PER_SECOND;
            } catch (IOException e) {
                // It has ended meanwhile.
            }
        }
        return new Usage(resident, anonymous, cpu);
    }

    private static long number(String line) { return Long.parseLong(line.replaceAll("\\D", "")); }
}
