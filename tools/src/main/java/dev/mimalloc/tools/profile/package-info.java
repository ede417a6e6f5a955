/** Heap profiles of native programs, read from their files and given names: collapsed stacks, and leaks. */
package dev.mimalloc.tools.profile;
