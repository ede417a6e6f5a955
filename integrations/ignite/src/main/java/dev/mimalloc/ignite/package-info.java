/** The mimalloc allocator for Apache Ignite's data regions. */
package dev.mimalloc.ignite;
