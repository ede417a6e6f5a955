package dev.mimalloc.tests;

/**
 * What padding changes: the user of a block has just the bytes that were asked for, and behind them the block has one more
 * at least. Both machines have it where the tests run in such a mode, and the system property {@code mimalloc.padded} says so.
 */
final class Padding {
    private static final boolean ON = Boolean.getBoolean("mimalloc.padded");

    private Padding() {}

    static boolean isOn() { return ON; }

    /** The usable size of a block for {@code size} bytes. */
    static long usable(Allocator allocator, long size) { return ON ? size : allocator.goodSize(size); }

    /** The bytes that such a block really has: more than 8, for a second word that marks a free one. */
    static long block(Allocator allocator, long size) { return allocator.goodSize(ON ? Math.max(9, size + 1) : size); }
}
