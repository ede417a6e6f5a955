/** Real programs on the native library, each doing real work with its output checked. */
package dev.mimalloc.programs;
