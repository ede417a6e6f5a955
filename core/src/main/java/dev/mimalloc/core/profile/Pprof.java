package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Text.literal;

import dev.mimalloc.machine.Os;

/**
 * Writes a profile in pprof's format, {@code profile.proto} of github.com/google/pprof, not compressed; the numbers of
 * fields are from there. Addresses have no names yet: its reader finds them by the mappings.
 */
final class Pprof {
    // Profile
    private static final int SAMPLE_TYPE = 1;
    private static final int SAMPLE = 2;
    private static final int MAPPING = 3;
    private static final int LOCATION = 4;
    private static final int FUNCTION = 5;
    private static final int STRING_TABLE = 6;
    private static final int DROP_FRAMES = 7;
    private static final int TIME_NANOS = 9;
    private static final int DURATION_NANOS = 10;
    private static final int PERIOD_TYPE = 11;
    private static final int PERIOD = 12;
    private static final int DEFAULT_SAMPLE_TYPE = 14;
    // ValueType
    private static final int TYPE = 1;
    private static final int UNIT = 2;
    // Sample
    private static final int SAMPLE_LOCATION = 1;
    private static final int SAMPLE_VALUE = 2;
    // Mapping
    private static final int MAPPING_ID = 1;
    private static final int MAPPING_START = 2;
    private static final int MAPPING_LIMIT = 3;
    private static final int MAPPING_OFFSET = 4;
    private static final int MAPPING_FILENAME = 5;
    private static final int MAPPING_BUILD_ID = 6;
    // Location
    private static final int LOCATION_ID = 1;
    private static final int LOCATION_MAPPING = 2;
    private static final int LOCATION_ADDRESS = 3;
    private static final int LOCATION_LINE = 4;
    // Line and Function
    private static final int LINE_FUNCTION = 1;
    private static final int FUNCTION_ID = 1;
    private static final int FUNCTION_NAME = 2;

    // Texts, by their place in the table.
    private static final int ALLOC_OBJECTS = 1;
    private static final int ALLOC_SPACE = 2;
    private static final int INUSE_OBJECTS = 3;
    private static final int INUSE_SPACE = 4;
    private static final int COUNT = 5;
    private static final int BYTES = 6;
    private static final int SPACE = 7;
    private static final int DROPPED = 8;
    private static final int OTHER = 9;
    private static final int TEXTS = 10;

    private Pprof() {}

    /** Writes the profile; nothing but its head if there is no memory. */
    static void write(long profiler, long file) {
        text(file, literal("")); // the first one has to be empty
        text(file, literal("alloc_objects"));
        text(file, literal("alloc_space"));
        text(file, literal("inuse_objects"));
        text(file, literal("inuse_space"));
        text(file, literal("count"));
        text(file, literal("bytes"));
        text(file, literal("space"));
        // The allocator's own frames, where it is part of the program.
        text(file, literal("(mi_|__libc_|posix_|aligned_)?(malloc|calloc|realloc|reallocarray|memalign|valloc|pvalloc)|mi_.*|[A-Z][A-Za-z]+_[a-z][A-Za-z0-9]*|operator new.*"));
        text(file, literal("[other stacks]"));
        valueType(file, SAMPLE_TYPE, ALLOC_OBJECTS, COUNT);
        valueType(file, SAMPLE_TYPE, ALLOC_SPACE, BYTES);
        valueType(file, SAMPLE_TYPE, INUSE_OBJECTS, COUNT);
        valueType(file, SAMPLE_TYPE, INUSE_SPACE, BYTES);
        valueType(file, PERIOD_TYPE, SPACE, BYTES);
        ProfileFile.number(file, PERIOD, Profiler.resumeRate(profiler));
        ProfileFile.number(file, DEFAULT_SAMPLE_TYPE, INUSE_SPACE);
        ProfileFile.number(file, TIME_NANOS, Os.time());
        ProfileFile.number(file, DURATION_NANOS, Os.time() - Profiler.started(profiler));
        if (Profiler.ownLimit(profiler) == 0) ProfileFile.number(file, DROP_FRAMES, DROPPED);
        long stacks = Profiler.stacks(profiler);
        long addresses = Addresses.of(stacks);
        if (addresses == 0) return;
        for (long stack = Stacks.next(stacks, 0); stack != 0; stack = Stacks.next(stacks, stack)) sample(file, stack, addresses);
        mappings(file, addresses);
        other(file, 1 + Addresses.count(addresses));
        Addresses.release(addresses);
    }

    /** The location of those that have no stack of their own. */
    private static void other(long file, long id) {
        long message = ProfileFile.begin(file, LOCATION);
        ProfileFile.number(file, LOCATION_ID, id);
        long line = ProfileFile.beginInner(file, LOCATION_LINE);
        ProfileFile.number(file, LINE_FUNCTION, 1);
        ProfileFile.end(file, line);
        ProfileFile.end(file, message);
        message = ProfileFile.begin(file, FUNCTION);
        ProfileFile.number(file, FUNCTION_ID, 1);
        ProfileFile.number(file, FUNCTION_NAME, OTHER);
        ProfileFile.end(file, message);
    }

    private static void text(long file, long text) {
        long message = ProfileFile.begin(file, STRING_TABLE);
        ProfileFile.text(file, text);
        ProfileFile.end(file, message);
    }

    private static void valueType(long file, int field, int type, int unit) {
        long message = ProfileFile.begin(file, field);
        ProfileFile.number(file, TYPE, type);
        ProfileFile.number(file, UNIT, unit);
        ProfileFile.end(file, message);
    }

    private static void sample(long file, long stack, long addresses) {
        long freedObjects = Stacks.freed(stack, Stacks.OBJECTS), freedBytes = Stacks.freed(stack, Stacks.BYTES);
        long objects = Stacks.allocated(stack, Stacks.OBJECTS), bytes = Stacks.allocated(stack, Stacks.BYTES);
        if (objects == 0) return;
        long message = ProfileFile.begin(file, SAMPLE);
        for (long i = 0; i < Stacks.depth(stack); i++) {
            long index = Addresses.indexOf(addresses, Stacks.frame(stack, i));
            if (index < 0) { // of a stack that has come just now
                ProfileFile.cancel(file, message);
                return;
            }
            ProfileFile.number(file, SAMPLE_LOCATION, 1 + index);
        }
        if (Stacks.depth(stack) == 0) ProfileFile.number(file, SAMPLE_LOCATION, 1 + Addresses.count(addresses));
        ProfileFile.number(file, SAMPLE_VALUE, Stacks.whole(objects));
        ProfileFile.number(file, SAMPLE_VALUE, bytes);
        ProfileFile.number(file, SAMPLE_VALUE, Stacks.whole(objects - freedObjects));
        ProfileFile.number(file, SAMPLE_VALUE, bytes - freedBytes);
        ProfileFile.end(file, message);
    }

    /** Writes the mappings, which come in the order of addresses, and the addresses in each and between them. */
    private static void mappings(long file, long addresses) {
        long mappings = Mappings.open();
        long i = 0;
        int text = TEXTS;
        for (int id = 1; mappings != 0 && Mappings.next(mappings); id++) {
            text(file, Mappings.path(mappings));
            text(file, Mappings.buildId(mappings));
            long message = ProfileFile.begin(file, MAPPING);
            ProfileFile.number(file, MAPPING_ID, id);
            ProfileFile.number(file, MAPPING_START, Mappings.start(mappings));
            ProfileFile.number(file, MAPPING_LIMIT, Mappings.limit(mappings));
            ProfileFile.number(file, MAPPING_OFFSET, Mappings.offset(mappings));
            ProfileFile.number(file, MAPPING_FILENAME, text);
            ProfileFile.number(file, MAPPING_BUILD_ID, text + 1);
            ProfileFile.end(file, message);
            text += 2;
            i = locations(file, addresses, i, Mappings.start(mappings), 0);
            i = locations(file, addresses, i, Mappings.limit(mappings), id);
        }
        if (mappings != 0) Mappings.close(mappings);
        locations(file, addresses, i, Long.MAX_VALUE, 0);
    }

    /** Writes the addresses from the {@code i}-th on that are below {@code limit}; returns the next one. */
    private static long locations(long file, long addresses, long i, long limit, int mapping) {
        for (; i < Addresses.count(addresses) && Addresses.get(addresses, i) <= limit; i++) {
            long message = ProfileFile.begin(file, LOCATION);
            ProfileFile.number(file, LOCATION_ID, i + 1);
            if (mapping != 0) ProfileFile.number(file, LOCATION_MAPPING, mapping);
            // A call returns behind itself.
            ProfileFile.number(file, LOCATION_ADDRESS, Addresses.get(addresses, i) - 1);
            ProfileFile.end(file, message);
        }
        return i;
    }
}
