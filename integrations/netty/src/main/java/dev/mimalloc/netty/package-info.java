/**
 * Netty on the mimalloc allocator: {@link dev.mimalloc.netty.MimallocByteBufAllocator} is a {@code ByteBufAllocator}.
 */
package dev.mimalloc.netty;
