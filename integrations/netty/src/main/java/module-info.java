/** Netty's buffers on the mimalloc allocator. */
module dev.mimalloc.netty {
    requires dev.mimalloc;
    requires io.netty.common;
    requires transitive io.netty.buffer;

    exports dev.mimalloc.netty;
}
