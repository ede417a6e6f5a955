package dev.mimalloc;

/**
 * What there is to say of a heap with a name or a limit, at a moment. Sizes are in bytes.
 *
 * @param number as {@link Heap#number}
 * @param name as {@link Heap#name}; empty if the heap has none
 * @param limit as {@link Heap#limit()}; 0 for any amount
 * @param used as {@link Heap#used}
 * @param refusals as {@link Heap#refusals}
 */
public record HeapInfo(long number, String name, long limit, long used, long refusals) {}
