/**
 * Where slices come from and where they go: arenas, huge pages, the purge.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}.
 */
package dev.mimalloc.core.memory;
