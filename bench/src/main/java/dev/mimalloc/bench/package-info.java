/** Runs the benchmarks: programs on each allocator, in turns; the raw results are data that the report reads. */
package dev.mimalloc.bench;
