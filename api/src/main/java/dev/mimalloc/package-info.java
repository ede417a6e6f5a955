/**
 * Off-heap memory from the mimalloc allocator, without a native call on the fast path.
 *
 * <p>{@link dev.mimalloc.Mimalloc} has the functions that everybody knows, {@code malloc} and {@code free} and their
 * kin, over raw addresses, and the same for {@code MemorySegment}s and direct buffers. A {@link dev.mimalloc.Heap} is
 * memory of its own that is freed all at once, and may have a limit; a {@link dev.mimalloc.Region} says where heaps
 * lie. {@link dev.mimalloc.Arenas} makes arenas, with the lifetimes and the checks of the JDK's.
 * {@link dev.mimalloc.Option} has the options; they can also be given by environment variables and system properties.
 * {@link dev.mimalloc.Statistics} shows what the allocator holds and has done, to programs and, by
 * {@link dev.mimalloc.Management}, to JMX clients. {@link dev.mimalloc.Profile} is a heap profile for pprof. {@link dev.mimalloc.Leaks} finds what is never freed, freed twice,
 * or written to past its end, if the program is started with {@code -Ddev.mimalloc.leaks}.
 *
 * <p>An address is a {@code long}, sizes and alignments are in bytes. Everything may be called by any thread, platform
 * or virtual, at any time, and a block may be freed by another thread than the one that allocated it; a heap's
 * {@code Local} and a confined arena are the exceptions.
 *
 * <p>Segments of heaps and arenas are safe as those of the JDK's arenas are, whatever is closed by whom and when: what
 * is used too late throws. Addresses are the sharp tool: as with all memory that is freed by hand, a block must not be
 * touched after it was freed, or after its heap was closed, and a heap must not be ended while a call that takes or
 * returns one of its addresses is under way. The same holds for the segments and buffers of {@code Mimalloc}, which are
 * freed by hand as well.
 *
 * <p>With JDK Flight Recorder one can see what happens: whatever recording runs has the events of the category
 * "mimalloc". {@code dev.mimalloc.Allocation} and {@code dev.mimalloc.Free} are samples with their stack traces, each
 * with a weight: how many allocated bytes it stands for. {@code dev.mimalloc.Live} sums up the samples that are not
 * free yet, where they come from and how old they are. The settings {@code interval}, by default 512 kB, and {@code
 * rate}, 150/s, of {@code dev.mimalloc.Allocation} say how much is sampled; the fast paths are the same with and
 * without a recording. The events of single pages, {@code dev.mimalloc.PageFresh} and {@code dev.mimalloc.PageFree},
 * have to be enabled; those of arenas and purges, and {@code dev.mimalloc.Statistics} once in a second, are there by
 * default. While no recording runs none of this costs anything, and a run-time image may do without the module
 * {@code jdk.jfr}.
 *
 * <p>The module {@code dev.mimalloc.core} needs native access: {@code --enable-native-access=dev.mimalloc.core}, or
 * {@code ALL-UNNAMED} on the class path. Memory is reached by the foreign memory API; with
 * {@code --sun-misc-unsafe-memory-access=allow} or
 * {@code --add-exports java.base/jdk.internal.misc=dev.mimalloc.core}, or {@code ALL-UNNAMED}, large methods are faster.
 */
package dev.mimalloc;
