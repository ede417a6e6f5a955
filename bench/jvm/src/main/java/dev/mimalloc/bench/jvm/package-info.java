/**
 * The benchmarks on the JVM, and a program that runs them so that what is compared is measured side by side. {@link
 * dev.mimalloc.bench.jvm.Main} is where it starts.
 */
package dev.mimalloc.bench.jvm;
