package dev.mimalloc.base;

/**
 * One of those who hear of samples, see {@link SampleListeners}. It is called in the middle of the allocator: so it must
 * neither wait nor call the allocator, and what it needs is loaded before.
 */
public interface SampleListener {
    /** One byte in this many shall be a sample, on average; when it changes {@link SampleListeners#update} wants to know. */
    long interval();

    /** Are samples wanted at this moment? */
    default boolean wantsSamples() { return true; }

    /**
     * A sample; nobody has seen the block yet.
     *
     * @param asked what was asked for
     * @param size the block's bytes, each of which might have been the sample
     * @param weight how many allocated bytes the sample stands for, among those that this listener hears of
     * @param heap the number of its heap
     */
    void allocated(long block, long asked, long size, long weight, long heap);

    /** The block of a sample, of this listener or of another, was freed; nobody else has its memory yet. */
    void freed(long block);

    /** A page for blocks of this size came, or is about to go. */
    default void page(boolean fresh, long start, long bytes, long blockSize, long heap) {}

    /** An arena came, or is about to go. */
    default void arena(boolean fresh, long start, long bytes) {}

    /** Memory is about to be given back to the system; {@link #purged} follows in the same thread. */
    default void purging() {}

    /** Memory was given back to the system; {@code bytes} is 0 if the system has refused. */
    default void purged(long start, long bytes) {}

    /** Some time has gone by. From the housekeeper. */
    default void tick() {}
}
