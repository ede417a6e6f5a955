/**
 * What everything else stands on: constants, size classes, options, errors, locks, bitmaps, tables, memory for structs,
 * statistics, and what is asked of the system.
 *
 * <p>It stands on the machine alone.
 */
package dev.mimalloc.core.base;
