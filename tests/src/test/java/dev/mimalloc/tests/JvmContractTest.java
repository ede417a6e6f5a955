package dev.mimalloc.tests;

/** The classes of core, run by the JVM. */
class JvmContractTest extends AllocatorContract {
    JvmContractTest() { super(JvmAllocator.INSTANCE); }
}
