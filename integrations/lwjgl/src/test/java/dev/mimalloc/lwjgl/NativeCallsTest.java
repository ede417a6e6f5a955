package dev.mimalloc.lwjgl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.lwjgl.stb.STBImage.stbi_failure_reason;
import static org.lwjgl.stb.STBImage.stbi_image_free;
import static org.lwjgl.stb.STBImage.stbi_load_from_memory;
import static org.lwjgl.stb.STBImageWrite.stbi_write_png_to_func;
import static org.lwjgl.system.JNI.invokePP;
import static org.lwjgl.system.JNI.invokePPP;
import static org.lwjgl.system.JNI.invokePV;
import static org.lwjgl.system.MemoryUtil.NULL;
import static org.lwjgl.system.MemoryUtil.memAddress0;
import static org.lwjgl.system.MemoryUtil.memAlloc;
import static org.lwjgl.system.MemoryUtil.memByteBuffer;
import static org.lwjgl.system.MemoryUtil.memFree;
import static org.lwjgl.system.MemoryUtil.memGetLong;
import static org.lwjgl.system.MemoryUtil.memPutLong;

import dev.mimalloc.Heap;
import dev.mimalloc.Mimalloc;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.lwjgl.stb.STBIWriteCallback;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.MemoryUtil.MemoryAllocator;

/** Native code that allocates: through the function pointers, on threads of its own, and the library stb. */
class NativeCallsTest {
    private static final MemoryAllocator ALLOCATOR = MemoryUtil.getAllocator();

    @Test
    void theFunctionPointersAreMadeOnce() {
        assertThat(ALLOCATOR.getMalloc()).isNotEqualTo(NULL).isEqualTo(new MimallocAllocator().getMalloc());
        assertThat(ALLOCATOR.getAlignedFree()).isNotEqualTo(NULL);
    }

    @Test
    void theFunctionPointersAllocateHere() {
        long block = invokePP(1000, ALLOCATOR.getMalloc());
        assertThat(Mimalloc.usableSize(block)).isGreaterThanOrEqualTo(1000);
        memPutLong(block, 42);
        block = invokePPP(block, 100_000, ALLOCATOR.getRealloc());
        assertThat(Mimalloc.usableSize(block)).isGreaterThanOrEqualTo(100_000);
        assertThat(memGetLong(block)).isEqualTo(42);
        assertThat(invokePPP(block, 0, ALLOCATOR.getRealloc())).isEqualTo(NULL);

        long zero = invokePPP(10, 8, ALLOCATOR.getCalloc());
        for (int i = 0; i < 10; i++) assertThat(memGetLong(zero + 8L * i)).isZero();
        invokePV(zero, ALLOCATOR.getFree());

        long aligned = invokePPP(4096, 100, ALLOCATOR.getAlignedAlloc());
        assertThat(aligned % 4096).isZero();
        assertThat(Mimalloc.contains(aligned)).isTrue();
        invokePV(aligned, ALLOCATOR.getAlignedFree());
        invokePV(NULL, ALLOCATOR.getFree());
    }

    @Test
    void whatIsWrongIsPrintedAndNothingIsThrown() {
        Recorder.take();
        assertThat(invokePP(-1, ALLOCATOR.getMalloc())).isEqualTo(NULL);
        assertThat(invokePP(1L << 50, ALLOCATOR.getMalloc())).isEqualTo(NULL);
        assertThat(invokePPP(1L << 32, 1L << 32, ALLOCATOR.getCalloc())).isEqualTo(NULL);
        assertThat(Recorder.take()).isEmpty(); // to have no memory is nobody's fault

        invokePV(0x1234_5670L, ALLOCATOR.getFree());
        assertThat(Recorder.take()).contains("[mimalloc] free called by native code", "0x12345670");
        assertThat(invokePPP(0x1234_5670L, 10, ALLOCATOR.getRealloc())).isEqualTo(NULL);
        assertThat(Recorder.take()).contains("[mimalloc] realloc called by native code", "0x12345670");
        assertThat(invokePPP(48, 10, ALLOCATOR.getAlignedAlloc())).isEqualTo(NULL);
        assertThat(Recorder.take()).contains("[mimalloc] aligned_alloc called by native code", "power of two");
    }

    /** A thread whose whole program is malloc, and its result the block; and another that frees it. */
    @Test
    void threadsThatNativeCodeHasMade() throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle create = linker.downcallHandle(linker.defaultLookup().findOrThrow("pthread_create"),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));
        MethodHandle join = linker.downcallHandle(linker.defaultLookup().findOrThrow("pthread_join"),
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment thread = arena.allocate(JAVA_LONG);
            MemorySegment result = arena.allocate(JAVA_LONG);
            for (long size = 1; size < 100_000; size = size * 3 + 5) {
                assertThat((int) create.invokeExact(thread, MemorySegment.NULL, ALLOCATOR.getMalloc(), size)).isZero();
                assertThat((int) join.invokeExact(thread.get(JAVA_LONG, 0), result)).isZero();
                long block = result.get(JAVA_LONG, 0);
                assertThat(Mimalloc.usableSize(block)).isGreaterThanOrEqualTo(size);
                memByteBuffer(block, (int) size).put((int) size - 1, (byte) 1);
                assertThat((int) create.invokeExact(thread, MemorySegment.NULL, ALLOCATOR.getFree(), block)).isZero();
                assertThat((int) join.invokeExact(thread.get(JAVA_LONG, 0), result)).isZero();
            }
        }
    }

    @Test
    void stbDecodesAnImageInOurMemory() {
        ByteBuffer pixels = memAlloc(640 * 480 * 3);
        for (int i = 0; i < pixels.capacity(); i++) pixels.put(i, (byte) (i * 31 + i / 640));
        ByteBuffer png = png(pixels);
        int[] width = new int[1];
        int[] height = new int[1];
        int[] channels = new int[1];
        ByteBuffer image = stbi_load_from_memory(png, width, height, channels, 3);
        assertThat(image).as(stbi_failure_reason()).isEqualTo(pixels);
        assertThat(width[0] * height[0] * channels[0]).isEqualTo(pixels.capacity());
        assertThat(Mimalloc.contains(memAddress0(image))).isTrue();
        assertThat(Mimalloc.usableSize(memAddress0(image))).isGreaterThanOrEqualTo(pixels.capacity());
        stbi_image_free(image);

        stbi_image_free(stbi_load_from_memory(png, width, height, channels, 4)); // whatever it keeps for itself
        long used = used();
        for (int length = 0; length < png.capacity(); length += png.capacity() / 20) {
            ByteBuffer part = png.slice(0, length);
            assertThat(stbi_load_from_memory(part, width, height, channels, 3)).isNull();
        }
        assertThat(used()).as("a broken image leaves nothing").isEqualTo(used);
        memFree(png);
        memFree(pixels);
    }

    private static ByteBuffer png(ByteBuffer pixels) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (STBIWriteCallback write = STBIWriteCallback.create((context, data, size) -> {
            byte[] part = new byte[size];
            memByteBuffer(data, size).get(part);
            bytes.writeBytes(part);
        })) {
            assertThat(stbi_write_png_to_func(write, NULL, 640, 480, 3, pixels, 640 * 3)).isTrue();
        }
        return memAlloc(bytes.size()).put(0, bytes.toByteArray());
    }

    /** Bytes in use in the heap that everything here comes from. */
    private static long used() {
        Mimalloc.collect(true);
        long[] used = {0};
        Heap.main().visit(false, (area, block, size) -> {
            used[0] += area.used() * area.blockSize();
            return true;
        });
        return used[0];
    }
}
