package dev.mimalloc.machine;

/**
 * What the housekeeper of {@link ThreadSlot} tells the floors above; it calls from its own thread. JVM only: in C a
 * thread tells its own end.
 */
public interface Lifecycle {
    /** The thread that owned this theap has ended, and everything it did has happened before this call. */
    void threadEnded(long theap);

    /** Some time has gone by: a good moment to purge. */
    void tick();

    /** Must {@link #tick} be called again, even if nobody can reach the allocator any more? Not for ever. */
    default boolean hasToTick() { return false; }
}
