/** The mimalloc allocator for LWJGL, and for the native libraries that it binds. */
module dev.mimalloc.lwjgl {
    requires dev.mimalloc;
    requires transitive org.lwjgl;

    exports dev.mimalloc.lwjgl;
}
