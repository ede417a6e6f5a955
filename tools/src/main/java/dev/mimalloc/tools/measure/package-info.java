/** Runs programs on an allocator, measures what they take, and sums it up; what the demo and the benchmarks share. */
package dev.mimalloc.tools.measure;
