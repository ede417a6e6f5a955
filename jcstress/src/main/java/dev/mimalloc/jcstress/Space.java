package dev.mimalloc.jcstress;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Zeroed memory for one state of a test; it goes with the state. */
class Space {
    private final MemorySegment memory;

    Space(long size) { memory = Arena.ofAuto().allocate(size, 64); }

    final long address() { return memory.address(); }
}
