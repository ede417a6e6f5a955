package dev.mimalloc.services;

import dev.mimalloc.bench.Allocator;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A service as people run it: what it is made of, how it is started and loaded, and what it says of itself. It has no state of
 * its own, so that one object serves all runs; what a run needs to know is in its {@link Place}.
 */
interface Service {
    /** What the command line calls it. */
    String name();

    /** What the report calls it. */
    String title();

    /** Does it run only when it is named, or in a full run? So are those that hundreds of MB would be downloaded for. */
    default boolean isLarge() { return false; }

    /** Debian's packages, in words of {@code scripts/unpack.sh}. */
    List<String> packages();

    /** Makes what all runs begin with in the place's folder, such as tables; on the system's malloc, and once. */
    default void prepare(Place place) throws IOException, InterruptedException {}

    /** Starts it in the foreground. */
    List<String> command(Place place) throws IOException;

    /** What puts it on an allocator: variables of its environment, of which the library is preloaded. */
    default Map<String, String> environment(Allocator allocator) {
        var variables = new HashMap<>(allocator.environment());
        // A service that is linked with an allocator of its own takes the system's from here.
        variables.put("LD_PRELOAD", allocator.library().isEmpty() ? "libc.so.6" : allocator.library());
        return variables;
    }

    /** Is it on that allocator, now that it answers? */
    default boolean isOn(Place place, Daemon daemon, Allocator allocator) throws IOException {
        return allocator.library().isEmpty() || daemon.loaded(allocator.library()) > 0;
    }

    /** Does it answer? An exception means no. */
    boolean isReady(Place place) throws IOException;

    /** Gives it work, and returns what must not depend on the allocator. */
    String load(Place place, Load load) throws IOException, InterruptedException;

    /** The bytes that its data take, if it can tell. */
    default OptionalLong live(Place place) throws IOException { return OptionalLong.empty(); }
}
