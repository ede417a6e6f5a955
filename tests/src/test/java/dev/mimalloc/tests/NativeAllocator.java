package dev.mimalloc.tests;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;

/**
 * The C library, called by its mi_* names; the system property {@code mimalloc.library} says where it lies. Every
 * parameter and result travels as a long: on the 64-bit machines that Java has, integers and pointers all take one
 * register, and of a bool only the lowest byte counts.
 */
final class NativeAllocator implements Allocator {
    static final Path LIBRARY = Path.of(System.getProperty("mimalloc.library")).toAbsolutePath();

    static {
        if (!Files.exists(LIBRARY)) throw new IllegalStateException("./mimalloc build makes " + LIBRARY);
    }

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = SymbolLookup.libraryLookup(LIBRARY, Arena.global());

    interface OnError { void call(int code, long argument); }
    interface OnDeferredFree { void call(boolean force, long heartbeat, long argument); }
    interface OnText { void call(long text, long argument); }
    interface OnBlock { boolean call(long heap, long area, long block, long blockSize, long argument); }

    public interface F0 { long call(); }
    public interface F1 { long call(long a); }
    public interface F2 { long call(long a, long b); }
    public interface F3 { long call(long a, long b, long c); }
    public interface F4 { long call(long a, long b, long c, long d); }
    public interface F5 { long call(long a, long b, long c, long d, long e); }
    public interface F6 { long call(long a, long b, long c, long d, long e, long f); }

    private static final F1 MALLOC = bind(F1.class, "mi_malloc");
    private static final F1 ZALLOC = bind(F1.class, "mi_zalloc");
    private static final F2 CALLOC = bind(F2.class, "mi_calloc");
    private static final F2 MALLOCN = bind(F2.class, "mi_mallocn");
    private static final F1 MALLOC_SMALL = bind(F1.class, "mi_malloc_small");
    private static final F1 ZALLOC_SMALL = bind(F1.class, "mi_zalloc_small");
    private static final F2 REALLOC = bind(F2.class, "mi_realloc");
    private static final F2 REZALLOC = bind(F2.class, "mi_rezalloc");
    private static final F3 RECALLOC = bind(F3.class, "mi_recalloc");
    private static final F3 REALLOCN = bind(F3.class, "mi_reallocn");
    private static final F2 REALLOCF = bind(F2.class, "mi_reallocf");
    private static final F2 EXPAND = bind(F2.class, "mi_expand");
    private static final F1 FREE = bind(F1.class, "mi_free");
    private static final F1 FREE_SMALL = bind(F1.class, "mi_free_small");
    private static final F1 USABLE_SIZE = bind(F1.class, "mi_usable_size");
    private static final F1 GOOD_SIZE = bind(F1.class, "mi_good_size");
    private static final F2 MALLOC_ALIGNED = bind(F2.class, "mi_malloc_aligned");
    private static final F3 MALLOC_ALIGNED_AT = bind(F3.class, "mi_malloc_aligned_at");
    private static final F2 ZALLOC_ALIGNED = bind(F2.class, "mi_zalloc_aligned");
    private static final F3 ZALLOC_ALIGNED_AT = bind(F3.class, "mi_zalloc_aligned_at");
    private static final F3 CALLOC_ALIGNED = bind(F3.class, "mi_calloc_aligned");
    private static final F4 CALLOC_ALIGNED_AT = bind(F4.class, "mi_calloc_aligned_at");
    private static final F3 REALLOC_ALIGNED = bind(F3.class, "mi_realloc_aligned");
    private static final F4 REALLOC_ALIGNED_AT = bind(F4.class, "mi_realloc_aligned_at");
    private static final F3 REZALLOC_ALIGNED = bind(F3.class, "mi_rezalloc_aligned");
    private static final F4 REZALLOC_ALIGNED_AT = bind(F4.class, "mi_rezalloc_aligned_at");
    private static final F4 RECALLOC_ALIGNED = bind(F4.class, "mi_recalloc_aligned");
    private static final F5 RECALLOC_ALIGNED_AT = bind(F5.class, "mi_recalloc_aligned_at");
    private static final F0 HEAP_NEW = bind(F0.class, "mi_heap_new");
    private static final F1 HEAP_DELETE = bind(F1.class, "mi_heap_delete");
    private static final F1 HEAP_DESTROY = bind(F1.class, "mi_heap_destroy");
    private static final F2 HEAP_COLLECT = bind(F2.class, "mi_heap_collect");
    private static final F0 HEAP_MAIN = bind(F0.class, "mi_heap_main");
    private static final F1 HEAP_OF = bind(F1.class, "mi_heap_of");
    private static final F2 HEAP_CONTAINS = bind(F2.class, "mi_heap_contains");
    private static final F1 ANY_HEAP_CONTAINS = bind(F1.class, "mi_any_heap_contains");
    private static final F2 HEAP_MALLOC = bind(F2.class, "mi_heap_malloc");
    private static final F2 HEAP_ZALLOC = bind(F2.class, "mi_heap_zalloc");
    private static final F3 HEAP_CALLOC = bind(F3.class, "mi_heap_calloc");
    private static final F3 HEAP_MALLOCN = bind(F3.class, "mi_heap_mallocn");
    private static final F2 HEAP_MALLOC_SMALL = bind(F2.class, "mi_heap_malloc_small");
    private static final F2 HEAP_ZALLOC_SMALL = bind(F2.class, "mi_heap_zalloc_small");
    private static final F3 HEAP_REALLOC = bind(F3.class, "mi_heap_realloc");
    private static final F4 HEAP_REALLOCN = bind(F4.class, "mi_heap_reallocn");
    private static final F3 HEAP_REALLOCF = bind(F3.class, "mi_heap_reallocf");
    private static final F3 HEAP_REZALLOC = bind(F3.class, "mi_heap_rezalloc");
    private static final F4 HEAP_RECALLOC = bind(F4.class, "mi_heap_recalloc");
    private static final F3 HEAP_MALLOC_ALIGNED = bind(F3.class, "mi_heap_malloc_aligned");
    private static final F4 HEAP_MALLOC_ALIGNED_AT = bind(F4.class, "mi_heap_malloc_aligned_at");
    private static final F3 HEAP_ZALLOC_ALIGNED = bind(F3.class, "mi_heap_zalloc_aligned");
    private static final F4 HEAP_ZALLOC_ALIGNED_AT = bind(F4.class, "mi_heap_zalloc_aligned_at");
    private static final F4 HEAP_CALLOC_ALIGNED = bind(F4.class, "mi_heap_calloc_aligned");
    private static final F5 HEAP_CALLOC_ALIGNED_AT = bind(F5.class, "mi_heap_calloc_aligned_at");
    private static final F4 HEAP_REALLOC_ALIGNED = bind(F4.class, "mi_heap_realloc_aligned");
    private static final F5 HEAP_REALLOC_ALIGNED_AT = bind(F5.class, "mi_heap_realloc_aligned_at");
    private static final F1 HEAP_THEAP = bind(F1.class, "mi_heap_theap");
    private static final F2 THEAP_COLLECT = bind(F2.class, "mi_theap_collect");
    private static final F2 THEAP_MALLOC = bind(F2.class, "mi_theap_malloc");
    private static final F2 THEAP_ZALLOC = bind(F2.class, "mi_theap_zalloc");
    private static final F3 THEAP_CALLOC = bind(F3.class, "mi_theap_calloc");
    private static final F2 THEAP_MALLOC_SMALL = bind(F2.class, "mi_theap_malloc_small");
    private static final F2 THEAP_ZALLOC_SMALL = bind(F2.class, "mi_theap_zalloc_small");
    private static final F3 THEAP_MALLOC_ALIGNED = bind(F3.class, "mi_theap_malloc_aligned");
    private static final F3 THEAP_REALLOC = bind(F3.class, "mi_theap_realloc");
    private static final F1 COLLECT = bind(F1.class, "mi_collect");
    private static final F4 HEAP_VISIT_BLOCKS = bind(F4.class, "mi_heap_visit_blocks");
    private static final F0 THEAP_GET_DEFAULT = bind(F0.class, "mi_theap_get_default");
    private static final F1 THEAP_SET_DEFAULT = bind(F1.class, "mi_theap_set_default");
    private static final F1 OPTION_GET = bind(F1.class, "mi_option_get");
    private static final F2 OPTION_SET = bind(F2.class, "mi_option_set");
    private static final F1 STATS_GET = bind(F1.class, "mi_stats_get");
    private static final F2 REGISTER_DEFERRED_FREE = bind(F2.class, "mi_register_deferred_free");
    private static final F6 MANAGE_OS_MEMORY = bind(F6.class, "mi_manage_os_memory");
    private static final F0 SUBPROC_MAIN = bind(F0.class, "mi_subproc_main");
    private static final F3 PRINT_HEAPS = bind(F3.class, "mi_subproc_heap_stats_print_out");
    private static final F2 REGISTER_ERROR = bind(F2.class, "mi_register_error");

    private static final ThreadLocal<int[]> ERROR = ThreadLocal.withInitial(() -> new int[1]);

    static final NativeAllocator INSTANCE = new NativeAllocator();

    private volatile Runnable onError;

    private NativeAllocator() {
        OnError handler = (code, argument) -> {
            ERROR.get()[0] = code;
            Runnable function = onError;
            if (function != null) function.run();
        };
        REGISTER_ERROR.call(upcall(Arena.global(), OnError.class, handler), 0);
    }

    @Override
    public int takeError() {
        int code = ERROR.get()[0];
        ERROR.get()[0] = NONE;
        return code;
    }

    @Override
    public long malloc(long size) { return MALLOC.call(size); }
    @Override
    public long zalloc(long size) { return ZALLOC.call(size); }
    @Override
    public long calloc(long count, long size) { return CALLOC.call(count, size); }
    @Override
    public long mallocn(long count, long size) { return MALLOCN.call(count, size); }
    @Override
    public long mallocSmall(long size) { return MALLOC_SMALL.call(size); }
    @Override
    public long zallocSmall(long size) { return ZALLOC_SMALL.call(size); }
    @Override
    public long realloc(long block, long size) { return REALLOC.call(block, size); }
    @Override
    public long rezalloc(long block, long size) { return REZALLOC.call(block, size); }
    @Override
    public long recalloc(long block, long count, long size) { return RECALLOC.call(block, count, size); }
    @Override
    public long reallocn(long block, long count, long size) { return REALLOCN.call(block, count, size); }
    @Override
    public long reallocf(long block, long size) { return REALLOCF.call(block, size); }
    @Override
    public long expand(long block, long size) { return EXPAND.call(block, size); }
    @Override
    public void free(long block) { FREE.call(block); }
    @Override
    public void freeSmall(long block) { FREE_SMALL.call(block); }
    @Override
    public long usableSize(long block) { return USABLE_SIZE.call(block); }
    @Override
    public long goodSize(long size) { return GOOD_SIZE.call(size); }
    @Override
    public long mallocAligned(long size, long alignment) { return MALLOC_ALIGNED.call(size, alignment); }
    @Override
    public long mallocAlignedAt(long size, long alignment, long offset) {
        return MALLOC_ALIGNED_AT.call(size, alignment, offset);
    }
    @Override
    public long zallocAligned(long size, long alignment) { return ZALLOC_ALIGNED.call(size, alignment); }
    @Override
    public long zallocAlignedAt(long size, long alignment, long offset) {
        return ZALLOC_ALIGNED_AT.call(size, alignment, offset);
    }
    @Override
    public long callocAligned(long count, long size, long alignment) {
        return CALLOC_ALIGNED.call(count, size, alignment);
    }
    @Override
    public long callocAlignedAt(long count, long size, long alignment, long offset) {
        return CALLOC_ALIGNED_AT.call(count, size, alignment, offset);
    }
    @Override
    public long reallocAligned(long block, long size, long alignment) {
        return REALLOC_ALIGNED.call(block, size, alignment);
    }
    @Override
    public long reallocAlignedAt(long block, long size, long alignment, long offset) {
        return REALLOC_ALIGNED_AT.call(block, size, alignment, offset);
    }
    @Override
    public long rezallocAligned(long block, long size, long alignment) {
        return REZALLOC_ALIGNED.call(block, size, alignment);
    }
    @Override
    public long rezallocAlignedAt(long block, long size, long alignment, long offset) {
        return REZALLOC_ALIGNED_AT.call(block, size, alignment, offset);
    }
    @Override
    public long recallocAligned(long block, long count, long size, long alignment) {
        return RECALLOC_ALIGNED.call(block, count, size, alignment);
    }
    @Override
    public long recallocAlignedAt(long block, long count, long size, long alignment, long offset) {
        return RECALLOC_ALIGNED_AT.call(block, count, size, alignment, offset);
    }
    @Override
    public long heapNew() { return HEAP_NEW.call(); }
    @Override
    public void heapDelete(long heap) { HEAP_DELETE.call(heap); }
    @Override
    public void heapDestroy(long heap) { HEAP_DESTROY.call(heap); }
    @Override
    public void heapCollect(long heap, boolean force) { HEAP_COLLECT.call(heap, force ? 1 : 0); }
    @Override
    public long heapMain() { return HEAP_MAIN.call(); }
    @Override
    public long heapOf(long block) { return HEAP_OF.call(block); }
    @Override
    public boolean heapContains(long heap, long block) {
        return (HEAP_CONTAINS.call(heap, block) & 0xff) != 0;
    }
    @Override
    public boolean anyHeapContains(long block) { return (ANY_HEAP_CONTAINS.call(block) & 0xff) != 0; }
    @Override
    public long heapMalloc(long heap, long size) { return HEAP_MALLOC.call(heap, size); }
    @Override
    public long heapZalloc(long heap, long size) { return HEAP_ZALLOC.call(heap, size); }
    @Override
    public long heapCalloc(long heap, long count, long size) { return HEAP_CALLOC.call(heap, count, size); }
    @Override
    public long heapMallocn(long heap, long count, long size) { return HEAP_MALLOCN.call(heap, count, size); }
    @Override
    public long heapMallocSmall(long heap, long size) { return HEAP_MALLOC_SMALL.call(heap, size); }
    @Override
    public long heapZallocSmall(long heap, long size) { return HEAP_ZALLOC_SMALL.call(heap, size); }
    @Override
    public long heapRealloc(long heap, long block, long size) { return HEAP_REALLOC.call(heap, block, size); }
    @Override
    public long heapReallocn(long heap, long block, long count, long size) {
        return HEAP_REALLOCN.call(heap, block, count, size);
    }
    @Override
    public long heapReallocf(long heap, long block, long size) {
        return HEAP_REALLOCF.call(heap, block, size);
    }
    @Override
    public long heapRezalloc(long heap, long block, long size) {
        return HEAP_REZALLOC.call(heap, block, size);
    }
    @Override
    public long heapRecalloc(long heap, long block, long count, long size) {
        return HEAP_RECALLOC.call(heap, block, count, size);
    }
    @Override
    public long heapMallocAligned(long heap, long size, long alignment) {
        return HEAP_MALLOC_ALIGNED.call(heap, size, alignment);
    }
    @Override
    public long heapMallocAlignedAt(long heap, long size, long alignment, long offset) {
        return HEAP_MALLOC_ALIGNED_AT.call(heap, size, alignment, offset);
    }
    @Override
    public long heapZallocAligned(long heap, long size, long alignment) {
        return HEAP_ZALLOC_ALIGNED.call(heap, size, alignment);
    }
    @Override
    public long heapZallocAlignedAt(long heap, long size, long alignment, long offset) {
        return HEAP_ZALLOC_ALIGNED_AT.call(heap, size, alignment, offset);
    }
    @Override
    public long heapCallocAligned(long heap, long count, long size, long alignment) {
        return HEAP_CALLOC_ALIGNED.call(heap, count, size, alignment);
    }
    @Override
    public long heapCallocAlignedAt(long heap, long count, long size, long alignment, long offset) {
        return HEAP_CALLOC_ALIGNED_AT.call(heap, count, size, alignment, offset);
    }
    @Override
    public long heapReallocAligned(long heap, long block, long size, long alignment) {
        return HEAP_REALLOC_ALIGNED.call(heap, block, size, alignment);
    }
    @Override
    public long heapReallocAlignedAt(long heap, long block, long size, long alignment, long offset) {
        return HEAP_REALLOC_ALIGNED_AT.call(heap, block, size, alignment, offset);
    }
    @Override
    public long heapTheap(long heap) { return HEAP_THEAP.call(heap); }
    @Override
    public void theapCollect(long theap, boolean force) { THEAP_COLLECT.call(theap, force ? 1 : 0); }
    @Override
    public long theapMalloc(long theap, long size) { return THEAP_MALLOC.call(theap, size); }
    @Override
    public long theapZalloc(long theap, long size) { return THEAP_ZALLOC.call(theap, size); }
    @Override
    public long theapCalloc(long theap, long count, long size) {
        return THEAP_CALLOC.call(theap, count, size);
    }
    @Override
    public long theapMallocSmall(long theap, long size) { return THEAP_MALLOC_SMALL.call(theap, size); }
    @Override
    public long theapZallocSmall(long theap, long size) { return THEAP_ZALLOC_SMALL.call(theap, size); }
    @Override
    public long theapMallocAligned(long theap, long size, long alignment) {
        return THEAP_MALLOC_ALIGNED.call(theap, size, alignment);
    }
    @Override
    public long theapRealloc(long theap, long block, long size) {
        return THEAP_REALLOC.call(theap, block, size);
    }
    @Override
    public void collect(boolean force) { COLLECT.call(force ? 1 : 0); }
    @Override
    public boolean manage(long start, long size, int numaNode) {
        return (MANAGE_OS_MEMORY.call(start, size, 1, 0, 1, numaNode) & 0xff) != 0;
    }

    @Override
    public long theapDefault() { return THEAP_GET_DEFAULT.call(); }
    @Override
    public long theapSetDefault(long theap) { return THEAP_SET_DEFAULT.call(theap); }
    @Override
    public long option(int option) { return OPTION_GET.call(option); }
    @Override
    public void setOption(int option, long value) { OPTION_SET.call(option, value); }

    @Override
    public boolean heapVisitBlocks(long heap, boolean visitBlocks, BlockVisitor visitor) {
        OnBlock onBlock = (h, area, block, blockSize, argument) -> visitor.visit(h, Area.at(area), block, blockSize);
        try (var arena = Arena.ofConfined()) {
            long function = upcall(arena, OnBlock.class, onBlock);
            return (HEAP_VISIT_BLOCKS.call(heap, visitBlocks ? 1 : 0, function, 0) & 0xff) != 0;
        }
    }

    @Override
    public void onDeferredFree(DeferredFree function) {
        OnDeferredFree onDeferredFree = (force, heartbeat, argument) -> function.call(force, heartbeat);
        // Never given back: another thread may be about to call it.
        long address = function == null ? 0 : upcall(Arena.global(), OnDeferredFree.class, onDeferredFree);
        REGISTER_DEFERRED_FREE.call(address, 0);
    }

    private static <T> T bind(Class<T> type, String name) {
        int parameters = type.getDeclaredMethods()[0].getParameterCount();
        var layouts = Collections.nCopies(parameters, JAVA_LONG).toArray(MemoryLayout[]::new);
        var handle = SYMBOLS.find(name)
                .map(symbol -> LINKER.downcallHandle(symbol, FunctionDescriptor.of(JAVA_LONG, layouts)))
                .orElseGet(() -> missing(name, parameters));
        return MethodHandleProxies.asInterfaceInstance(type, handle);
    }

    private static MethodHandle missing(String name, int parameters) {
        var thrower = MethodHandles.throwException(long.class, UnsatisfiedLinkError.class)
                .bindTo(new UnsatisfiedLinkError(name + " is not in " + LIBRARY));
        return MethodHandles.dropArguments(thrower, 0, Collections.nCopies(parameters, long.class));
    }

    /** The address of a C function that calls the only method of {@code type}. */
    private static <T> long upcall(Arena arena, Class<T> type, T function) {
        try {
            var method = MethodHandles.lookup().unreflect(type.getDeclaredMethods()[0]).bindTo(function);
            var types = method.type().parameterList().stream();
            var parameters = types.map(NativeAllocator::layout).toArray(MemoryLayout[]::new);
            var descriptor = method.type().returnType() == void.class ? FunctionDescriptor.ofVoid(parameters)
                    : FunctionDescriptor.of(layout(method.type().returnType()), parameters);
            return LINKER.upcallStub(method, descriptor, arena).address();
        } catch (IllegalAccessException e) {
            throw new LinkageError(type.getName(), e);
        }
    }

    private static MemoryLayout layout(Class<?> type) {
        return type == boolean.class ? JAVA_BOOLEAN : type == int.class ? JAVA_INT : JAVA_LONG;
    }

    @Override
    public void onError(Runnable function) { onError = function; }

    @Override
    public void printHeaps(Runnable onLine) {
        OnText output = (text, argument) -> onLine.run();
        try (var arena = Arena.ofConfined()) {
            PRINT_HEAPS.call(SUBPROC_MAIN.call(), upcall(arena, OnText.class, output), 0);
        }
    }

    @Override
    public Figure statistic(String name) {
        return StatisticsStruct.read(stats -> (STATS_GET.call(stats) & 0xff) != 0, name);
    }

    @Override
    public String toString() { return "libmimalloc"; }
}
