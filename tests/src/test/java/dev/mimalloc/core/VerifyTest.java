package dev.mimalloc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.SizeClass;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.malloc.Allocate;
import dev.mimalloc.core.memory.Arenas;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.ArenaPages;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.PageQueue;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.model.Theap;
import dev.mimalloc.core.page.Verify;
import dev.mimalloc.core.thread.Heaps;
import dev.mimalloc.core.thread.Theaps;
import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.UpperTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is broken of the allocator's structures a verification finds, and it finds nothing else. */
class VerifyTest {
    /** Of a bin that nothing else here uses, with a direct table of its own and 16 blocks in a list. */
    private static final long SIZE = 896;

    private static final Map<String, Fault> FAULTS = new LinkedHashMap<>();

    /** Words that were changed, as they were. */
    private final Map<Long, Long> before = new HashMap<>();

    private long heap;
    private long theap;
    private long page; // of four blocks in use, one freed by another thread and one by its own
    private long abandoned; // a page with one block in use
    private final List<Long> blocks = new ArrayList<>();

    private interface Change { void make(VerifyTest test); }

    /** A change of the structures, and what a verification says of it. */
    private record Fault(String found, Change change) {}

    @BeforeEach
    void allocate() throws Exception {
        Mimalloc.collect(true);
        heap = Heaps.create(0);
        for (int i = 0; i < 6; i++) blocks.add(Allocate.heapMalloc(heap, SIZE));
        theap = Theaps.current(heap);
        page = PageMap.pageOf(blocks.getFirst());
        Thread other = Thread.ofPlatform().start(() -> {
            Mimalloc.free(blocks.get(4));
            abandoned = PageMap.pageOf(Allocate.heapMalloc(heap, 2000));
        });
        other.join();
        Mimalloc.free(blocks.get(5));
    }

    @AfterEach
    void free() {
        Heaps.destroy(heap);
        Invariants.check();
    }

    @Test
    void nothingIsFoundWhereAllIsWhole() {
        Verify.theap(theap);
        Invariants.atRest(Verify::whole);
    }

    static List<String> names() { return List.copyOf(FAULTS.keySet()); }

    @ParameterizedTest
    @MethodSource("names")
    void whatIsBrokenIsFound(String name) {
        Fault fault = FAULTS.get(name);
        Invariants.atRest(() -> {
            fault.change.make(this);
            assertThat(before).isNotEmpty();
            try {
                assertThatThrownBy(Verify::whole).isInstanceOf(AssertionError.class)
                        .hasMessageContaining(fault.found + " 0x");
            } finally {
                before.forEach(Memory::putLong);
            }
            assertThatCode(Verify::whole).doesNotThrowAnyException();
        });
    }

    static {
        // Queues and the theap.
        broken("a page names another theap", "wrong queue of page", t -> t.put(t.page, Page.class, "THEAP", t.theap + 8));
        broken("a page has a wrong page before it", "wrong queue of page", t -> t.put(t.page, Page.class, "PREV", t.page));
        broken("a page in a queue names no thread", "wrong owner of page", t -> t.put(t.page, Page.class, "THREAD", Page.HIDDEN));
        broken("a page in a queue is not owned", "wrong owner of page", t -> t.put(t.page, Page.class, "THREAD_FREE", Page.threadFreeAcquire(t.page) & -2));
        broken("a page in a queue is of another heap", "wrong owner of page", t -> t.put(t.page, Page.class, "HEAP", Main.heap()));
        broken("a queue ends elsewhere", "end or length of queue", t -> t.put(t.queue(), PageQueue.class, "LAST", 0));
        broken("a queue is longer than it should be", "end or length of queue", t -> t.put(t.queue(), PageQueue.class, "COUNT", 2));
        broken("a theap has fewer pages than it counts", "number of pages of theap", t -> t.put(t.theap, Theap.class, "PAGE_COUNT", 2));
        broken("the direct table leads to no page", "direct table of theap", t -> t.set(t.theap + SIZE, Main.emptyPage()));
        broken("the direct table leads to a page", "direct table of theap", t -> t.set(t.theap + 512, t.page));
        broken("the empty page has a block", "direct table of theap", t -> t.put(Main.emptyPage(), Page.class, "FREE", t.blocks.getFirst()));
        broken("a retired page is out of sight", "nobody frees retired page", t -> {
            long empty = PageMap.pageOf(Allocate.heapMalloc(t.heap, 8));
            Mimalloc.free(Page.start(empty));
            assertThat(Page.retire(empty)).isPositive();
            t.put(t.theap, Theap.class, "RETIRE_FIRST", SizeClass.COUNT);
        });
        // A page and its blocks.
        broken("a page has more blocks than room for them", "numbers of blocks of page", t -> t.counts(t.page, 0, 0, -70));
        broken("a page has more blocks in use than it has", "numbers of blocks of page", t -> t.counts(t.page, 100, 0, 0));
        broken("others have freed more blocks than are in use", "numbers of blocks of page", t -> t.counts(t.page, -5, 0, 0));
        broken("a page is larger than its slices", "numbers of blocks of page", t -> t.counts(t.page, 0, 0, 1000));
        broken("a page has larger blocks", "wrong queue of page", t -> t.put(t.page, Page.class, "BLOCK_SIZE", SIZE * 2));
        broken("a block is in use that nobody has", "free blocks are lost of page", t -> t.counts(t.page, 1, 0, 0));
        broken("a block is linked in that is in no list", "free blocks are lost of page", t -> t.counts(t.page, 0, 1, 0));
        broken("a block that others have freed is lost", "free blocks are lost of page", t -> t.put(t.page, Page.class, "THREAD_FREE", 1L << 48 | 1));
        broken("a list is lost", "free blocks are lost of page", t -> t.put(t.page, Page.class, "LOCAL_FREE", 0));
        broken("a list ends early", "free blocks are lost of page", t -> t.set(Page.free(t.page), 0));
        broken("a freed block was written to", "a free block was overwritten, and leads to", t -> t.set(t.blocks.get(5), 0x1234));
        broken("a freed block leads into another", "a free block was overwritten, and leads to", t -> t.set(t.blocks.get(5), t.blocks.get(0) + 8));
        broken("a block that others have freed was written to", "a free block was overwritten, and leads to", t -> t.set(t.blocks.get(4), -1));
        broken("a fresh block leads behind the page", "a free block was overwritten, and leads to", t -> t.set(Page.free(t.page), t.blocks.getFirst() + Config.SLICE));
        broken("a list is a circle", "twice in free lists is block", t -> t.set(t.blocks.get(5), t.blocks.get(5)));
        broken("a block is in two lists", "twice in free lists is block", t -> t.set(t.blocks.get(5), Page.free(t.page)));
        broken("a block was freed by its thread and by another", "twice in free lists is block", t -> t.set(t.blocks.get(4), t.blocks.get(5)));
        broken("a fresh block was written to", "a block that nobody had was written to at", t -> {
            for (long block = Page.free(t.page); block != 0; block = Page.nextBlock(t.page, block)) {
                for (long at = block + 8; at < block + SIZE; at += 8) t.set(at, 0);
            }
            long word = Memory.getLong(t.page + offset(Page.class, "SLICES")); // the flags are its last byte
            t.put(t.page, Page.class, "SLICES", word | (long) Page.FREE_ZERO << 56);
            t.set(Page.nextBlock(t.page, Page.free(t.page)) + SIZE - 8, 1);
        });
        // What others know of it.
        broken("the page map leads to another page", "the page map leads elsewhere from page", t -> t.set(t.entry(), t.page + Config.SLICE));
        broken("the page map does not know a page", "the page map leads elsewhere from page", t -> t.set(t.entry(), 0));
        broken("slices of a page are free", "wrong slices of page", t -> t.bit(Arena.free(t.arena()), true));
        broken("slices of a page have no memory", "wrong slices of page", t -> t.bit(Arena.committed(t.arena()), false));
        broken("slices of a page seem to be zero", "wrong slices of page", t -> t.bit(Arena.dirty(t.arena()), false));
        broken("a heap does not know its page", "its heap does not know page", t -> t.bit(t.pages(), false));
        broken("a heap knows a page that is not there", "wrong heap of page", t -> {
            t.put(Arena.descriptor(t.arena(), t.freeSlice()), Page.class, "HEAP", Main.heap());
            t.bit(t.pages(), t.freeSlice(), true);
        });
        broken("slices are lost", "slices without a page in subprocess", t -> t.bit(Arena.free(t.arena()), t.freeSlice(), false));
        broken("slices wait to be purged that are not counted", "number of waiting slices in subprocess", t -> t.put(Main.subprocess(), Subprocess.class, "WAITING", Subprocess.waiting(Main.subprocess()) + 1));
        broken("a page is in no queue", "pages without a queue in subprocess", t -> {
            t.put(t.queue(), PageQueue.class, "FIRST", 0);
            t.put(t.queue(), PageQueue.class, "LAST", 0);
            t.put(t.queue(), PageQueue.class, "COUNT", 0);
            t.put(t.theap, Theap.class, "PAGE_COUNT", 0);
            for (long size = SIZE; SizeClass.bin(size) == SizeClass.bin(SIZE); size -= 8) {
                t.set(t.theap + size, Main.emptyPage());
            }
        });
        broken("a heap is charged for more", "bytes charged to heap", t -> t.put(t.heap, Heap.class, "CHARGED", Heap.chargedRelaxed(t.heap) + 4096));
        // Abandoned pages.
        broken("an abandoned page is owned", "an owner, or no block, of abandoned page", t -> t.put(t.abandoned, Page.class, "THREAD_FREE", Page.OWNED));
        broken("an abandoned page is empty", "an owner, or no block, of abandoned page", t -> t.counts(t.abandoned, -1, 0, 0));
        broken("a findable page has no bit", "number of findable pages in heap", VerifyTest::hide);
        broken("a bit leads to a page that cannot be found", "bits of findable pages in heap", t -> t.put(t.abandoned, Page.class, "THREAD", Page.HIDDEN));
        broken("findable pages are counted that are not there", "number of findable pages in heap", t -> t.put(t.heap, Heap.class, "ABANDONED", 1));
    }

    private static void broken(String name, String found, Change change) { FAULTS.put(name, new Fault(found, change)); }

    private static long offset(Class<?> struct, String field) {
        try {
            var constant = struct.getDeclaredField(field);
            constant.setAccessible(true);
            return ((Number) constant.get(null)).longValue();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(field, e);
        }
    }

    /** Writes to an aligned word of the structures, for as long as a verification takes. */
    private void set(long address, long value) {
        before.putIfAbsent(address, Memory.getLong(address));
        Memory.putLong(address, value);
    }

    private void put(long struct, Class<?> of, String field, long value) { set(struct + offset(of, field), value); }

    /** Adds to a page's numbers of blocks. */
    private void counts(long of, int used, int capacity, int reserved) {
        long counts = Memory.getLong(of + offset(Page.class, "COUNTS"));
        put(of, Page.class, "COUNTS", counts + used + ((long) capacity << 32) + ((long) reserved << 48));
    }

    private long queue() { return Theap.queue(theap, SizeClass.bin(SIZE)); }
    private long arena() { return Arenas.arenaOf(page); }
    private long pages() { return ArenaPages.pages(Table.get(Heap.arenaPagesTable(heap), Arena.index(arena()))); }
    private long freeSlice() { return Bitmap.nextSet(Arena.free(arena()), 0, Arena.slices(arena())); }

    /** The page map's word for the page. */
    private long entry() {
        long start = Page.start(page);
        return UpperTable.get(start >>> 33) + (start >>> 16 & 0x1ffff) * 8;
    }

    private void bit(long bitmap, boolean value) { bit(bitmap, Arena.sliceOf(arena(), page), value); }

    private void bit(long bitmap, long bit, boolean value) {
        long word = Memory.getLong(bitmap + offset(Bitmap.class, "CHUNKS")) + (bit >>> 6) * 8;
        long map = bitmap + offset(Bitmap.class, "MAP") + (bit >>> 15) * 8;
        long mask = 1L << bit;
        set(word, value ? Memory.getLong(word) | mask : Memory.getLong(word) & ~mask);
        if (value) set(map, Memory.getLong(map) | 1L << (bit >>> 9));
    }

    private void hide() {
        long pages = Table.get(Heap.arenaPagesTable(heap), Page.arena(abandoned));
        long bitmap = ArenaPages.abandonedAcquire(pages, Page.bin(abandoned));
        bit(bitmap, Arena.sliceOf(Arenas.arenaOf(abandoned), abandoned), false);
    }
}
