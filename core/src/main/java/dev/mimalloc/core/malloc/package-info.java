/**
 * Allocation and free: the fast paths, and where they lead.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}, {@code page}, {@code thread}.
 */
package dev.mimalloc.core.malloc;
