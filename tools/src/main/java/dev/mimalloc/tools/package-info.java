/** The command line behind {@code ./mimalloc}. */
package dev.mimalloc.tools;
