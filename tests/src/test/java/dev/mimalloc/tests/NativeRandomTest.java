package dev.mimalloc.tests;

/** The C library. */
class NativeRandomTest extends RandomContract {
    NativeRandomTest() { super(NativeAllocator.INSTANCE); }
}
