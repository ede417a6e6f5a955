/**
 * The allocator. {@code dev.mimalloc.core} and its packages are written over raw addresses, and {@code dev.mimalloc.machine} is what it
 * stands on. All are for the module {@code dev.mimalloc} alone, where programs find their API: they turn any number
 * into memory, with the native access that this module was given, and nobody else shall have that for the asking.
 */
@SuppressWarnings("module") // dev.mimalloc is built after this module
module dev.mimalloc.core {
    requires static jdk.unsupported; // one of the ways to memory, where it is there and allowed

    exports dev.mimalloc.core.base to
        dev.mimalloc;
    exports dev.mimalloc.core.model to
        dev.mimalloc;
    exports dev.mimalloc.core.memory to
        dev.mimalloc;
    exports dev.mimalloc.core.page to
        dev.mimalloc;
    exports dev.mimalloc.core.thread to
        dev.mimalloc;
    exports dev.mimalloc.core.malloc to
        dev.mimalloc;
    exports dev.mimalloc.core.report to
        dev.mimalloc;
    exports dev.mimalloc.core.face to
        dev.mimalloc;
    exports dev.mimalloc.machine to
        dev.mimalloc;
}
