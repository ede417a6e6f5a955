/**
 * The lives of theaps, threads, heaps and subprocesses, and walks over what they have.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}, {@code page}.
 */
package dev.mimalloc.core.thread;
