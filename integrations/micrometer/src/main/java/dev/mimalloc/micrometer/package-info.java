/**
 * The allocator's statistics as Micrometer metrics:
 *
 * <pre>{@code
 * new MimallocMetrics().bindTo(registry);                            // the whole allocator
 * new MimallocMetrics(Map.of("sessions", heap)).bindTo(registry);    // and heaps of yours
 * }</pre>
 *
 * <p>See {@link dev.mimalloc.micrometer.MimallocMetrics} for the metrics.
 */
package dev.mimalloc.micrometer;
