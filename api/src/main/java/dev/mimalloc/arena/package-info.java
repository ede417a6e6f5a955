/** Arenas over blocks of the allocator, with the lifetimes of the JDK's. */
package dev.mimalloc.arena;
