/** Makes tables, charts and a page of the raw results. */
package dev.mimalloc.bench.report;
