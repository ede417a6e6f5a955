/** Services as they are in production, on this allocator and on others. */
package dev.mimalloc.services;
