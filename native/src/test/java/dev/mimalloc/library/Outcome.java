package dev.mimalloc.library;

import java.util.Arrays;
import java.util.Locale;

/** What a misuse of memory came to, the best first. */
enum Outcome {
    STOPPED("S", "the process ended at the misuse, or later with a word of the allocator's"),
    REPORTED("R", "the allocator wrote an error, and the process went on"),
    PREVENTED("P", "nothing was said, and the misuse had no effect: a request was refused, an address was not accepted, "
            + "memory was zero"),
    HARMLESS("h", "nothing was noticed, and nothing came of it: no other block and no list of the allocator's was changed"),
    CRASHED("c", "the process ended later, without a word: luck, which an attacker who writes better values need not have"),
    MISSED("m", "nothing was noticed, and memory is not what the program believes"),
    ABSENT("-", "the allocator has nothing that could be misused so");

    private final String letter;
    private final String meaning;

    Outcome(String letter, String meaning) {
        this.letter = letter;
        this.meaning = meaning;
    }

    String letter() { return letter; }

    String meaning() { return meaning; }

    /** Did the allocator do what it is expected to do? */
    boolean isCovered() { return compareTo(PREVENTED) <= 0; }

    /** As the program and the table write it. */
    String word() { return name().toLowerCase(Locale.ROOT); }

    static Outcome of(String word) {
        return Arrays.stream(values()).filter(outcome -> outcome.word().equals(word)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no outcome: " + word));
    }
}
