package dev.mimalloc.tests;

/** The classes of core, run by the JVM. */
class JvmRandomTest extends RandomContract {
    JvmRandomTest() { super(JvmAllocator.INSTANCE); }
}
