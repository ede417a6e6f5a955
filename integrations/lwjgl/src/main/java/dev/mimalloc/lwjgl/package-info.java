/**
 * Memory for LWJGL: {@code memAlloc} and its kin in {@code MemoryUtil}, and the libraries in C that LWJGL lets allocate
 * through it, such as stb.
 *
 * <h2>How LWJGL finds it</h2>
 * By the system property
 * {@snippet :
 * -Dorg.lwjgl.system.allocator=dev.mimalloc.lwjgl.MimallocAllocator
 * }
 * or in the program, before anything else of LWJGL is used:
 * {@snippet :
 * Configuration.MEMORY_ALLOCATOR.set(new MimallocAllocator());
 * }
 * The name {@code mimalloc} alone means LWJGL's own binding of the C library. A class that LWJGL cannot find or
 * construct it replaces by the system's allocator, and says so only with {@code -Dorg.lwjgl.util.Debug=true}; {@code
 * MemoryUtil.getAllocator() instanceof MimallocAllocator} tells. On the module path it takes {@code requires
 * dev.mimalloc.lwjgl}, or {@code --add-modules dev.mimalloc.lwjgl}.
 *
 * <p>{@code -Dorg.lwjgl.util.DebugAllocator=true} works on top of it, and reports what was never freed.
 *
 * <h2>What the JVM must allow</h2>
 * {@code --enable-native-access=ALL-UNNAMED}; on the module path, {@code
 * --enable-native-access=org.lwjgl,dev.mimalloc.core,dev.mimalloc.lwjgl}. LWJGL itself wants {@code
 * --sun-misc-unsafe-memory-access=allow} or {@code --add-exports java.base/jdk.internal.misc=ALL-UNNAMED}; the latter
 * makes this allocator faster as well.
 */
package dev.mimalloc.lwjgl;
