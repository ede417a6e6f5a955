/** The benchmarks: one class for each use of memory, one method for each way to get it. */
package dev.mimalloc.bench.jvm.cases;
