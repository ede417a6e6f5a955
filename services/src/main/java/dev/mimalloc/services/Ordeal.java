package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A service that is killed, or gets too little of what it needs, and still has to keep what it has promised. */
interface Ordeal {
    /** What the command line calls it. */
    String name();

    /** What the report calls it. */
    String title();

    /** Whose packages it needs, and whose prepared folder it begins with. */
    Service service();

    /** Makes what all runs begin with, and fails where the ordeal cannot take place. */
    default void prepare(Place place) throws IOException, InterruptedException { service().prepare(place); }

    /**
     * What a run came to.
     *
     * @param promise what held, in words that do not depend on the allocator
     * @param figures how much there was of it
     */
    record Held(String promise, String figures) {}

    /** Puts the service to it, and fails when it breaks a promise. */
    Held run(Place place, Allocator allocator) throws IOException, InterruptedException;

    /** The command with more options, which count more than the same ones before. */
    static List<String> with(List<String> command, String... options) {
        var words = new ArrayList<>(command);
        words.addAll(List.of(options));
        return words;
    }

    /** One run on a copy of the prepared folder. */
    default Verdict judge(Place place, Path prepared, Allocator allocator) throws InterruptedException {
        try {
            Trial.copy(prepared, place.folder());
            Held held = run(place, allocator);
            return new Verdict(allocator.name(), held.promise(), held.figures(), null);
        } catch (Failed | IOException e) {
            return new Verdict(allocator.name(), "", "", e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }
}
