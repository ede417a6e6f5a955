/**
 * The structs, each with its layout as a chain of offsets, and what concerns a single one of them: page, page map,
 * queue, theap, thread data, heap, subprocess, arena.
 *
 * <p>It stands on the machine and on {@code base}.
 */
package dev.mimalloc.core.model;
