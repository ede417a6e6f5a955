/**
 * What the outside sees: the names of C and C++, the management of arenas, and the life of the process.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}, {@code page}, {@code thread},
 * {@code malloc}, {@code report}.
 */
package dev.mimalloc.core.face;
