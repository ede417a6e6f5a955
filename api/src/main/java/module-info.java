/** The mimalloc allocator for Java programs. */
module dev.mimalloc {
    requires dev.mimalloc.core;
    requires static java.management;

    exports dev.mimalloc;
}
