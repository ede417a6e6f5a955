package dev.mimalloc.services;

import java.io.IOException;
import java.util.List;
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

    /** Debian's packages, in words of {@code scripts/unpack.sh}. */
    List<String> packages();

    /** Makes what all runs begin with in the place's folder, such as tables; on the system's malloc, and once. */
    default void prepare(Place place) throws IOException, InterruptedException {}

    /** Starts it in the foreground. */
    List<String> command(Place place) throws IOException;

    /** Does it answer? An exception means no. */
    boolean isReady(Place place) throws IOException;

    /** Gives it work, and returns what must not depend on the allocator. */
    String load(Place place, Load load) throws IOException, InterruptedException;

    /** The bytes that its data take, if it can tell. */
    default OptionalLong live(Place place) throws IOException { return OptionalLong.empty(); }
}
