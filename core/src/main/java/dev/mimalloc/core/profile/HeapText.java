package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Text.literal;

/**
 * Writes a profile as text in the format {@code heap_v2}, which jeprof, gperftools' pprof and pprof read: samples as they
 * were taken, and the interval, by which the reader scales them; then the system's list of mappings.
 */
final class HeapText {
    private HeapText() {}

    static void write(long profiler, long file) {
        long stacks = Profiler.stacks(profiler);
        long live = 0, liveBytes = 0, all = 0, allBytes = 0;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) {
            live -= Stacks.freed(stack, Stacks.SAMPLES);
            liveBytes -= Stacks.freed(stack, Stacks.SAMPLE_BYTES);
            all += Stacks.allocated(stack, Stacks.SAMPLES);
            allBytes += Stacks.allocated(stack, Stacks.SAMPLE_BYTES);
        }
        ProfileFile.text(file, literal("heap profile: "));
        counts(file, live + all, liveBytes + allBytes, all, allBytes);
        ProfileFile.text(file, literal(" @ heap_v2/"));
        ProfileFile.decimal(file, Profiler.resumeRate(profiler));
        ProfileFile.letter(file, '\n');
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) sample(file, stack);
        ProfileFile.text(file, literal("\nMAPPED_LIBRARIES:\n"));
        long maps = ProfileFile.open(literal("/proc/self/maps"), false);
        if (maps <= 0) return;
        for (int letter; (letter = ProfileFile.read(maps)) >= 0;) ProfileFile.letter(file, letter);
        ProfileFile.close(maps, false);
    }

    private static void sample(long file, long stack) {
        long freed = Stacks.freed(stack, Stacks.SAMPLES), freedBytes = Stacks.freed(stack, Stacks.SAMPLE_BYTES);
        long all = Stacks.allocated(stack, Stacks.SAMPLES), allBytes = Stacks.allocated(stack, Stacks.SAMPLE_BYTES);
        if (all == 0) return;
        counts(file, all - freed, allBytes - freedBytes, all, allBytes);
        ProfileFile.text(file, literal(" @"));
        for (long i = 0; i < Stacks.depth(stack); i++) {
            ProfileFile.text(file, literal(" 0x"));
            ProfileFile.hex(file, Stacks.frame(stack, i));
        }
        ProfileFile.letter(file, '\n');
    }

    private static void counts(long file, long live, long liveBytes, long all, long allBytes) {
        ProfileFile.decimal(file, live);
        ProfileFile.text(file, literal(": "));
        ProfileFile.decimal(file, liveBytes);
        ProfileFile.text(file, literal(" ["));
        ProfileFile.decimal(file, all);
        ProfileFile.text(file, literal(": "));
        ProfileFile.decimal(file, allBytes);
        ProfileFile.letter(file, ']');
    }
}
