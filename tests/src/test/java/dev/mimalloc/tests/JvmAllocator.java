package dev.mimalloc.tests;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.Invariants;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Options;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.face.ManageArenas;
import dev.mimalloc.core.report.Report;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.malloc.AllocateAligned;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.core.malloc.Reallocate;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Subprocesses;
import dev.mimalloc.core.thread.Threads;
import dev.mimalloc.core.thread.Visit;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Kernel32;
import java.util.function.LongSupplier;

/** The classes of core, run by the JVM. A bad argument is an exception there, which counts as its code. */
final class JvmAllocator implements Allocator {
    static final JvmAllocator INSTANCE = new JvmAllocator();

    private static final ThreadLocal<int[]> ERROR = ThreadLocal.withInitial(() -> new int[1]);

    private volatile Runnable onError;

    private JvmAllocator() {
        if ("windows".equals(System.getProperty("mimalloc.system"))) Kernel32.install();
        Callback.ErrorHandler handler = (code, argument) -> {
            ERROR.get()[0] = code;
            Runnable function = onError;
            if (function != null) function.run();
        };
        Errors.register(Callback.register(handler), 0);
        Mimalloc.free(0); // the public API sees to what core needs on the JVM
    }

    @Override
    public int takeError() {
        int code = ERROR.get()[0];
        ERROR.get()[0] = NONE;
        return code;
    }

    private static long attempt(LongSupplier call) {
        try {
            return call.getAsLong();
        } catch (IllegalArgumentException e) {
            ERROR.get()[0] = EINVAL;
        } catch (IllegalStateException e) {
            ERROR.get()[0] = EAGAIN;
        }
        return 0;
    }

    private static void attempt(Runnable call) {
        attempt(() -> {
            call.run();
            return 0;
        });
    }

    @Override
    public long malloc(long size) { return attempt(() -> Allocate.malloc(size)); }
    @Override
    public long zalloc(long size) { return attempt(() -> Allocate.zalloc(size)); }
    @Override
    public long calloc(long count, long size) { return attempt(() -> Allocate.calloc(count, size)); }
    @Override
    public long mallocn(long count, long size) { return attempt(() -> Allocate.mallocn(count, size)); }
    @Override
    public long mallocSmall(long size) { return attempt(() -> Allocate.malloc(size)); }
    @Override
    public long zallocSmall(long size) { return attempt(() -> Allocate.zalloc(size)); }
    @Override
    public long realloc(long block, long size) { return attempt(() -> Reallocate.realloc(block, size)); }
    @Override
    public long rezalloc(long block, long size) { return attempt(() -> Reallocate.rezalloc(block, size)); }
    @Override
    public long recalloc(long block, long count, long size) {
        return attempt(() -> Reallocate.recalloc(block, count, size));
    }
    @Override
    public long reallocn(long block, long count, long size) {
        return attempt(() -> Reallocate.reallocn(block, count, size));
    }
    @Override
    public long reallocf(long block, long size) { return attempt(() -> Reallocate.reallocf(block, size)); }
    @Override
    public long expand(long block, long size) { return attempt(() -> Reallocate.expand(block, size)); }
    @Override
    public void free(long block) { attempt(() -> Free.free(block)); }
    @Override
    public void freeSmall(long block) { attempt(() -> Free.free(block)); }
    @Override
    public long usableSize(long block) { return attempt(() -> Free.usableSize(block)); }
    @Override
    public long goodSize(long size) { return attempt(() -> SizeClass.goodSize(size)); }

    @Override
    public long mallocAligned(long size, long alignment) {
        return attempt(() -> AllocateAligned.malloc(size, alignment));
    }
    @Override
    public long mallocAlignedAt(long size, long alignment, long offset) {
        return attempt(() -> AllocateAligned.mallocAt(size, alignment, offset));
    }
    @Override
    public long zallocAligned(long size, long alignment) {
        return attempt(() -> AllocateAligned.zalloc(size, alignment));
    }
    @Override
    public long zallocAlignedAt(long size, long alignment, long offset) {
        return attempt(() -> AllocateAligned.zallocAt(size, alignment, offset));
    }
    @Override
    public long callocAligned(long count, long size, long alignment) {
        return attempt(() -> AllocateAligned.calloc(count, size, alignment));
    }
    @Override
    public long callocAlignedAt(long count, long size, long alignment, long offset) {
        return attempt(() -> AllocateAligned.callocAt(count, size, alignment, offset));
    }
    @Override
    public long reallocAligned(long block, long size, long alignment) {
        return attempt(() -> Reallocate.aligned(block, size, alignment));
    }
    @Override
    public long reallocAlignedAt(long block, long size, long alignment, long offset) {
        return attempt(() -> Reallocate.alignedAt(block, size, alignment, offset));
    }
    @Override
    public long rezallocAligned(long block, long size, long alignment) {
        return attempt(() -> Reallocate.zeroAligned(block, size, alignment));
    }
    @Override
    public long rezallocAlignedAt(long block, long size, long alignment, long offset) {
        return attempt(() -> Reallocate.zeroAlignedAt(block, size, alignment, offset));
    }
    @Override
    public long recallocAligned(long block, long count, long size, long alignment) {
        return attempt(() -> Reallocate.recallocAligned(block, count, size, alignment));
    }
    @Override
    public long recallocAlignedAt(long block, long count, long size, long alignment, long offset) {
        return attempt(() -> Reallocate.recallocAlignedAt(block, count, size, alignment, offset));
    }

    @Override
    public long heapNew() { return attempt(() -> Heaps.create()); }
    @Override
    public void heapDelete(long heap) { attempt(() -> Heaps.delete(heap)); }
    @Override
    public void heapDestroy(long heap) { attempt(() -> Heaps.destroy(heap)); }
    @Override
    public void heapCollect(long heap, boolean force) { attempt(() -> Heaps.collect(heap, force)); }
    @Override
    public long heapMain() { return attempt(() -> Heaps.main()); }
    @Override
    public long heapOf(long block) { return attempt(() -> Heaps.of(block)); }
    @Override
    public boolean heapContains(long heap, long block) { return Heaps.contains(heap, block); }
    @Override
    public boolean anyHeapContains(long block) { return Heaps.anyContains(block); }
    @Override
    public long heapMalloc(long heap, long size) { return attempt(() -> Allocate.heapMalloc(heap, size)); }
    @Override
    public long heapZalloc(long heap, long size) { return attempt(() -> Allocate.heapZalloc(heap, size)); }
    @Override
    public long heapCalloc(long heap, long count, long size) {
        return attempt(() -> Allocate.heapCalloc(heap, count, size));
    }
    @Override
    public long heapMallocn(long heap, long count, long size) {
        return attempt(() -> Allocate.heapMallocn(heap, count, size));
    }
    @Override
    public long heapMallocSmall(long heap, long size) {
        return attempt(() -> Allocate.heapMalloc(heap, size));
    }
    @Override
    public long heapZallocSmall(long heap, long size) {
        return attempt(() -> Allocate.heapZalloc(heap, size));
    }
    @Override
    public long heapRealloc(long heap, long block, long size) {
        return attempt(() -> Reallocate.heapRealloc(heap, block, size));
    }
    @Override
    public long heapReallocn(long heap, long block, long count, long size) {
        return attempt(() -> Reallocate.heapReallocn(heap, block, count, size));
    }
    @Override
    public long heapReallocf(long heap, long block, long size) {
        return attempt(() -> Reallocate.heapReallocf(heap, block, size));
    }
    @Override
    public long heapRezalloc(long heap, long block, long size) {
        return attempt(() -> Reallocate.heapRezalloc(heap, block, size));
    }
    @Override
    public long heapRecalloc(long heap, long block, long count, long size) {
        return attempt(() -> Reallocate.heapRecalloc(heap, block, count, size));
    }

    @Override
    public long heapMallocAligned(long heap, long size, long alignment) {
        return attempt(() -> AllocateAligned.heapMalloc(heap, size, alignment));
    }
    @Override
    public long heapMallocAlignedAt(long heap, long size, long alignment, long offset) {
        return attempt(() -> AllocateAligned.heapMallocAt(heap, size, alignment, offset));
    }
    @Override
    public long heapZallocAligned(long heap, long size, long alignment) {
        return attempt(() -> AllocateAligned.heapZalloc(heap, size, alignment));
    }
    @Override
    public long heapZallocAlignedAt(long heap, long size, long alignment, long offset) {
        return attempt(() -> AllocateAligned.heapZallocAt(heap, size, alignment, offset));
    }
    @Override
    public long heapCallocAligned(long heap, long count, long size, long alignment) {
        return attempt(() -> AllocateAligned.heapCalloc(heap, count, size, alignment));
    }
    @Override
    public long heapCallocAlignedAt(long heap, long count, long size, long alignment, long offset) {
        return attempt(() -> AllocateAligned.heapCallocAt(heap, count, size, alignment, offset));
    }
    @Override
    public long heapReallocAligned(long heap, long block, long size, long alignment) {
        return attempt(() -> Reallocate.heapAligned(heap, block, size, alignment));
    }
    @Override
    public long heapReallocAlignedAt(long heap, long block, long size, long alignment, long offset) {
        return attempt(() -> Reallocate.heapAlignedAt(heap, block, size, alignment, offset));
    }

    @Override
    public long heapTheap(long heap) { return attempt(() -> Heaps.theap(heap)); }
    @Override
    public void theapCollect(long theap, boolean force) { attempt(() -> Heaps.collectTheap(theap, force)); }
    @Override
    public long theapMalloc(long theap, long size) {
        return attempt(() -> Allocate.theapMalloc(theap, size));
    }
    @Override
    public long theapZalloc(long theap, long size) {
        return attempt(() -> Allocate.theapZalloc(theap, size));
    }
    @Override
    public long theapCalloc(long theap, long count, long size) {
        return attempt(() -> Allocate.theapCalloc(theap, count, size));
    }
    @Override
    public long theapMallocSmall(long theap, long size) {
        return attempt(() -> Allocate.theapMalloc(theap, size));
    }
    @Override
    public long theapZallocSmall(long theap, long size) {
        return attempt(() -> Allocate.theapZalloc(theap, size));
    }
    @Override
    public long theapMallocAligned(long theap, long size, long alignment) {
        return attempt(() -> AllocateAligned.theapMalloc(theap, size, alignment));
    }
    @Override
    public long theapRealloc(long theap, long block, long size) {
        return attempt(() -> Reallocate.theapRealloc(theap, block, size));
    }

    @Override
    public void collect(boolean force) { attempt(() -> Threads.collect(force)); }
    @Override
    public boolean manage(long start, long size, int numaNode) {
        return ManageArenas.manage(start, size, true, false, true, numaNode);
    }

    @Override
    public long theapDefault() { return Heaps.getDefault(); }
    @Override
    public long theapSetDefault(long theap) { return Heaps.setDefault(theap); }
    @Override
    public long option(int option) { return Options.get(option); }
    @Override
    public void setOption(int option, long value) { Options.set(option, value); }

    @Override
    public boolean heapVisitBlocks(long heap, boolean visitBlocks, BlockVisitor visitor) {
        Callback.BlockVisitor onBlock = (h, area, b, size, argument) -> visitor.visit(h, Area.at(area), b, size);
        long function = Callback.register(onBlock);
        try {
            return Visit.heapBlocks(heap, visitBlocks, function, 0);
        } finally {
            Callback.unregister(function);
        }
    }

    @Override
    public void awaitQuarantines() {
        if (Secret.has(Secret.QUARANTINE)) Invariants.awaitThreadEnds();
    }

    @Override
    public void onDeferredFree(DeferredFree function) {
        Callback.DeferredFree onDeferredFree = (force, heartbeat, argument) -> function.call(force, heartbeat);
        long handle = function == null ? 0 : Callback.register(onDeferredFree);
        dev.mimalloc.core.page.Deferred.register(handle, 0);
    }

    @Override
    public void onError(Runnable function) { onError = function; }

    @Override
    public void printHeaps(Runnable onLine) {
        Callback.Output output = (text, argument) -> onLine.run();
        long handle = Callback.register(output);
        Report.printHeaps(Subprocesses.main(), handle, 0);
        Callback.unregister(handle);
    }

    @Override
    public Figure statistic(String name) {
        return StatisticsStruct.read(Report::statistics, name);
    }

    @Override
    public String toString() { return "the JVM"; }
}
