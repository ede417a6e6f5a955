/**
 * Heap profiles of native programs: which calls have allocated what is in use, and what was allocated so far, by samples; and leaks.
 * The JVM has its own listener in place of this, {@link dev.mimalloc.machine.Trace}.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}; {@code page} tells it of samples.
 */
package dev.mimalloc.core.profile;
