/**
 * Memory for Apache Arrow. With this module on the class path, {@code new RootAllocator()} allocates with it, and so do
 * vectors, IPC readers and Flight that were given that allocator.
 *
 * <h2>How Arrow finds it</h2>
 * A root allocator that is not told otherwise looks for a class {@code DefaultAllocationManagerFactory} in three
 * packages of Arrow's own, in this order: {@code org.apache.arrow.memory}, {@code org.apache.arrow.memory.unsafe} and
 * {@code org.apache.arrow.memory.netty}. It takes no name other than these, so this module has a class of the second
 * name. Therefore:
 * <ul>
 * <li>Alone, or beside {@code arrow-memory-netty}, which Flight's users may have, this module is found.
 * <li>Beside {@code arrow-memory-unsafe}, whichever comes first on the class path is found, and Arrow logs a warning.
 * On the module path there can be only one of the two, as both have the package: leave {@code arrow-memory-unsafe} out.
 * <li>The system property {@code arrow.allocation.manager.type}, or the environment variable {@code
 * ARROW_ALLOCATION_MANAGER_TYPE}, knows {@code Netty} and {@code Unsafe} only, and each stands for Arrow's own: unset
 * it.
 * <li>On the module path, {@code requires dev.mimalloc.arrow}, or {@code --add-modules dev.mimalloc.arrow}.
 * </ul>
 * Whatever else there is, to choose is to be sure:
 *
 * {@snippet :
 * BufferAllocator allocator = new RootAllocator(RootAllocator.configBuilder()
 *         .allocationManagerFactory(MimallocAllocationManager.FACTORY).build());
 * }
 *
 * A buffer is from this module if {@code Mimalloc.contains(buffer.memoryAddress())}.
 *
 * <h2>What the JVM must allow</h2>
 * Arrow itself needs {@code --add-opens=java.base/java.nio=ALL-UNNAMED}, and since JDK 24 {@code
 * --sun-misc-unsafe-memory-access=allow}, or the JVM prints a warning; this module needs {@code
 * --enable-native-access=ALL-UNNAMED}. On the module path these are {@code
 * --add-opens=java.base/java.nio=org.apache.arrow.memory.core} and {@code --enable-native-access=dev.mimalloc.core}.
 * With {@code --add-exports=java.base/jdk.internal.misc=ALL-UNNAMED} the allocator is faster; most of what a buffer
 * costs is Arrow's accounting.
 *
 * <h2>Limits, leaks and sizes</h2>
 * All of Arrow's accounting stays: limits and reservations of allocators, the check for leaks when one is closed, and
 * {@code -Darrow.memory.debug.allocator=true}, which lists the leaked buffers and, when Arrow's logger traces, where
 * each was allocated. Arrow rounds a size up to a power of two below 16 MiB before it asks for memory; a {@code
 * RoundingPolicy} that leaves it alone saves memory, and is served as fast.
 */
package dev.mimalloc.arrow;
