/** Runs programs on an allocator and measures what they take; what the demo and the benchmarks share. */
package dev.mimalloc.tools.measure;
