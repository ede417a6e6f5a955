package dev.mimalloc.lwjgl.programs;

import static org.lwjgl.system.MemoryUtil.memAlloc;
import static org.lwjgl.system.MemoryUtil.memFree;

import dev.mimalloc.lwjgl.MimallocAllocator;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.MemoryUtil;

/** A program that prints which allocator LWJGL uses, frees one block and forgets another. */
public final class Leak {
    private Leak() {}

    public static void main(String[] arguments) {
        if (arguments.length > 0) Configuration.MEMORY_ALLOCATOR.set(new MimallocAllocator());
        memFree(memAlloc(1001));
        memAlloc(1002).put(0, (byte) 1);
        System.out.println("allocator: " + MemoryUtil.getAllocator().getClass().getName()
                + (MimallocAllocator.class.getModule().isNamed() ? " in a module" : "") + ", pointer "
                + Long.signum(MemoryUtil.getAllocator().getMalloc() >>> 1));
    }
}
