/** Tracks blocks, to find leaks and misuse: takes the place of core while a program is started for that. */
package dev.mimalloc.tracking;
