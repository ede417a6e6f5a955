/**
 * Off-heap memory from the mimalloc allocator, without a native call on the fast path.
 *
 * <p>{@link dev.mimalloc.Mimalloc} has the functions that everybody knows, {@code malloc} and {@code free} and their
 * kin, over raw addresses, and the same for {@code MemorySegment}s. A {@link dev.mimalloc.Heap} is memory of its own
 * that is freed all at once. {@link dev.mimalloc.Option} has the options; they can also be given by environment
 * variables and system properties. {@link dev.mimalloc.Statistics} shows what the allocator holds and has done, to
 * programs and, by {@link dev.mimalloc.Management}, to JMX clients.
 *
 * <p>An address is a {@code long}, sizes and alignments are in bytes. Everything may be called by any thread, platform
 * or virtual, at any time, and a block may be freed by another thread than the one that allocated it; a heap's
 * {@code Local} is the one exception. As with all memory that is freed by hand, a block must not be touched after it
 * was freed.
 *
 * <p>The module {@code dev.mimalloc.core} needs native access: {@code --enable-native-access=dev.mimalloc.core}, or
 * {@code ALL-UNNAMED} on the class path. Memory is reached by the foreign memory API; with
 * {@code --add-exports java.base/jdk.internal.misc=dev.mimalloc.core}, or {@code ALL-UNNAMED}, it is reached faster.
 */
package dev.mimalloc;
