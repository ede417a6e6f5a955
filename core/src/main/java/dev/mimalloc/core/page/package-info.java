/**
 * The lives of pages: made, found, extended, abandoned, retired, resized, scavenged; what of them is sampled and
 * limited.
 *
 * <p>It stands on the machine and on {@code base}, {@code model}, {@code memory}.
 */
package dev.mimalloc.core.page;
