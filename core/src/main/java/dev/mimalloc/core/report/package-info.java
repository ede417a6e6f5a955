/**
 * What is told of the allocator: statistics put together, and written as text and as JSON; dumps of the heap; and what a
 * process writes because its environment asks for it. Programs read it, and nobody waits for it.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}, {@code profile}, {@code page},
 * {@code thread}, {@code malloc}.
 */
package dev.mimalloc.core.report;
