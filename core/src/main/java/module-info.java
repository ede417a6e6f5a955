/**
 * The allocator. {@code dev.mimalloc.core} is written over raw addresses for whoever builds on the allocator, such as
 * the module {@code dev.mimalloc}, where programs find their API; {@code dev.mimalloc.machine} is what it stands on.
 */
module dev.mimalloc.core {
    requires static jdk.unsupported; // one of the ways to memory, where it is there and allowed

    exports dev.mimalloc.core;
    exports dev.mimalloc.machine;
}
