/** The mimalloc allocator under the buffers of Apache Arrow. */
module dev.mimalloc.arrow {
    requires dev.mimalloc;
    requires transitive org.apache.arrow.memory.core;

    exports dev.mimalloc.arrow;

    /* Where Arrow looks for its default. */
    exports org.apache.arrow.memory.unsafe;
}
