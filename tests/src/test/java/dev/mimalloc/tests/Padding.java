package dev.mimalloc.tests;

/**
 * What the padding of a secure machine changes: the user of a block has just the bytes that were asked for, and behind
 * them the block has one more at least. It is there from level 3 on; the secure library's name tells of it.
 */
final class Padding {
    private static final boolean JVM = Integer.getInteger("dev.mimalloc.secure", 0) >= 3;
    private static final boolean LIBRARY = System.getProperty("mimalloc.library", "").contains("-secure");

    private Padding() {}

    static boolean isIn(Allocator allocator) { return allocator instanceof NativeAllocator ? LIBRARY : JVM; }

    /** The usable size of a block for {@code size} bytes. */
    static long usable(Allocator allocator, long size) { return isIn(allocator) ? size : allocator.goodSize(size); }

    /** The bytes that such a block really has. */
    static long block(Allocator allocator, long size) { return allocator.goodSize(isIn(allocator) ? size + 1 : size); }
}
