package dev.mimalloc.tests;

/** The C library. */
class NativeContractTest extends AllocatorContract {
    NativeContractTest() { super(NativeAllocator.INSTANCE); }
}
