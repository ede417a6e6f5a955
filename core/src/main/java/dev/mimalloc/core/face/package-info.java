/**
 * What the outside sees: the names of C and C++, the management of arenas, reports, and the life of the process.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}, {@code page}, {@code thread},
 * {@code malloc}.
 */
package dev.mimalloc.core.face;
