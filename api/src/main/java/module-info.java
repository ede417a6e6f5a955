/** The mimalloc allocator for Java programs. */
module dev.mimalloc {
    requires dev.mimalloc.core;

    exports dev.mimalloc;
}
