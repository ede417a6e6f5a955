package dev.mimalloc.core.malloc;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.base.Secret;
import dev.mimalloc.core.model.Harden;
import dev.mimalloc.core.model.Misuse;
import dev.mimalloc.core.model.Padding;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.page.Guarded;
import dev.mimalloc.core.page.Retire;
import dev.mimalloc.core.profile.Samples;
import dev.mimalloc.core.thread.Quarantine;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.Track;

/**
 * Freeing. The fast path: the page map leads from the address to the page, whose thread word is this thread's id and
 * nothing else, and the block goes on the page's {@code localFree} by plain stores. A block of any other page goes on
 * the page's thread-free list by one CAS. If nobody owned that page, the CAS has made this thread the owner, and it has
 * to free the page, to take it, or to give it up again.
 *
 * <p>Any thread may free any block, at any time; a thread needs no theap for it.
 */
public final class Free {
    private Free() {}

    /** Frees a block; 0 is fine. Any thread may free any block. */
    @Export({"void mi_free(void* p)", "void mi_free_small(void* p)", "void mi_free_small_nonnull(void* p)", "void mi_free_small_local(void* p)", "void mi_free_small_local_nonnull(void* p)"})
    public static void free(long p) {
        long page = PageMap.pageOfBlock(p);
        if (unlikely(page == 0)) {
            freeOdd(p);
            return;
        }
        if (unlikely(!Page.isLocal(page) || !Harden.mayPutBack(page, p))) freeSlow(p, page);
        else if (unlikely(Harden.putBack(page, p) == 0)) Retire.retireSlow(page);
    }

    /** Tells a tool of a free, also of one that will be refused: of an address where no user has a block, or 0. */
    private static void track(long p, long page) {
        long block = page == 0 ? 0 : blockOf(page, p);
        boolean isBlock = page != 0 && Page.isBlockStart(page, block);
        if (p != 0) Track.freed(p, block, isBlock ? Page.blockSize(page) : 0);
    }

    /** Frees a block of a page that is not the thread's, or that has a flag in its thread word. */
    private static void freeSlow(long p, long page) {
        if (Track.isOn()) track(p, page);
        ThreadSlot.probeStack();
        long difference = Page.threadWordRelaxed(page) ^ ThreadSlot.id();
        if (likely((difference & Page.FLAGS) == 0 && !Secret.isBuilt())) Quarantine.push(page, p);
        else if (Page.isGuarded(page) && !Guarded.free(page, p)) raiseInvalid(p);
        else flaggedSlow(page, p);
    }

    /**
     * Frees a block of a page with a flag in its thread word. Either the page has a single block, and no other address
     * can be freed; or users have addresses inside of its blocks; or its
     * blocks are hardened, as all are in the secure build.
     */
    private static void flaggedSlow(long page, long p) {
        long block = Page.hasInterior(page) ? Page.blockOf(page, p) : p;
        if (Page.isSingleton(page)) {
            if (block == Page.start(page) || Page.isGuarded(page)) singleSlow(page);
            else raiseInvalid(p);
        } else if (!Page.isHardened(page) || Harden.takeBack(page, block)) {
            Quarantine.free(page, block);
        }
    }

    private static void singleSlow(long page) {
        if (!Page.isHardened(page) || Page.isGuarded(page)) Quarantine.putBackOnly(page);
        else if (Harden.takeBackOnly(page)) Quarantine.freeOnly(page);
    }

    /**
     * Frees what the fast path finds no page for: 0, an address inside a block that is no multiple of 8, or an address
     * that is not the allocator's.
     */
    private static void freeOdd(long p) {
        long page = pageOf(p);
        if (page != 0) freeSlow(p, page);
        else if (Track.isOn()) track(p, 0);
    }

    /** The page of a block; 0 for 0, and, with an error, for an address that cannot be a block's. */
    static long pageOf(long p) {
        long page = PageMap.pageOf(p);
        if (page != 0 && ((p & 7) == 0 || Page.hasInterior(page))) return page;
        if (p != 0) raiseInvalid(p);
        return 0;
    }

    /** Does a user have the block, as far as that is known? If not, it is reported: its padding must not be looked at. */
    private static boolean isLive(long page, long p) {
        return !Page.isHardened(page) || Page.isGuarded(page) || Harden.isLive(page, blockOf(page, p));
    }

    /** Does an address lie among blocks, where no block begins? */
    public static boolean isInside(long p) {
        long page = PageMap.pageOf(p);
        if (page != 0 && Page.isGuarded(page)) return p != Guarded.block(page);
        long size = page == 0 ? 0 : Page.blockSize(page); // 0 also if the page is going just now
        return size != 0 && Long.remainderUnsigned(p - Page.start(page), size) != 0;
    }

    private static void raiseInvalid(long p) {
        // At the end of a process libraries still free what has gone with all the rest.
        if (Root.isDestroyed() || Guarded.raiseFreed(p)) return;
        Misuse.report(Errors.EINVAL, Text.literal("invalid pointer, not allocated here or freed already"), p);
    }

    /** How many bytes a block has; 0 for 0. */
    @Export({"size_t mi_usable_size(const void* p)", "size_t mi_malloc_size(const void* p)", "size_t mi_malloc_usable_size(const void *p)"})
    public static long usableSize(long p) {
        long page = pageOf(p);
        return page != 0 && isLive(page, p) ? usableSize(page, p) : 0;
    }

    /**
     * The bytes from {@code p} to the end of its block. A sample has those that any other block would have: a program that
     * fills what it is told of would move it later than others, and so more of them would be live than are counted.
     */
    public static long usableSize(long page, long p) {
        if (Page.isGuarded(page)) return Guarded.bytes(page) - (p - Guarded.block(page));
        if (Page.isOfEmpty(page)) return 0;
        long size = Page.has(page, Page.SAMPLED) && !Padding.isPadded(page) ? Samples.room(page) : Page.blockSize(page);
        if (Page.hasInterior(page)) size -= p - Page.blockOf(page, p);
        return Padding.isPadded(page) ? size - Padding.padding(page, blockOf(page, p)) : size;
    }

    /** As {@link #usableSize(long, long)}; a block that was written to past its end is reported, and so is a free one, for which it is -1. */
    static long checkedSize(long page, long p) {
        if (!isLive(page, p)) return -1;
        if (Padding.isPadded(page)) Harden.checkPadding(page, blockOf(page, p));
        return usableSize(page, p);
    }

    /** As {@link #usableSize(long, long)}, and what of the block's padding its user may have, too; of a sample what any other block would have. */
    static long room(long page, long p) {
        if (Page.isGuarded(page) || Page.isOfEmpty(page)) return usableSize(page, p);
        long size = Page.has(page, Page.SAMPLED) ? Samples.room(page) : Page.blockSize(page);
        if (Page.hasInterior(page)) size -= p - Page.blockOf(page, p);
        return Padding.isPadded(page) ? size - 1 : size;
    }

    /** The block of the address that a user has. */
    static long blockOf(long page, long p) { return Page.hasInterior(page) ? Page.blockOf(page, p) : p; }

    @Export("void mi_free_size(void* p, size_t size)")
    public static void freeSize(long p, long size) { freeSizeAligned(p, size, 1); }

    @Export("void mi_free_size_aligned(void* p, size_t size, size_t alignment)")
    public static void freeSizeAligned(long p, long size, long alignment) {
        if (Secret.isOn()) checkSize(p, size);
        freeAligned(p, alignment);
    }

    private static void checkSize(long p, long size) {
        long page = PageMap.pageOf(p);
        boolean wrong = isKnown(page, p) && usableSize(page, p) != size;
        if (wrong) Misuse.reportMismatch(Text.literal("a block is freed with a size that it has not"), p);
    }

    /** Does a user have a block at this address whose padding tells more of it? */
    private static boolean isKnown(long page, long p) {
        return page != 0 && Padding.isPadded(page) && Page.isInUse(page, blockOf(page, p));
    }

    @Export("void mi_free_aligned(void* p, size_t alignment)")
    public static void freeAligned(long p, long alignment) {
        if (Secret.isOn() && alignment != 0 && (p & alignment - 1) != 0) {
            Misuse.reportMismatch(Text.literal("a block is freed with an alignment that it has not"), p);
        }
        free(p);
    }

    /** Marks a new block as one of a form of C++'s; see {@link Padding}. */
    @Export("void* mi__formed(void* p, int form)")
    public static long formed(long p, int form) {
        long page = PageMap.pageOf(p);
        if (Secret.hasForms() && page != 0 && Padding.isPadded(page)) Padding.setForm(page, blockOf(page, p), form);
        return p;
    }

    /**
     * Frees a block by a form of C++'s.
     *
     * @param size that the caller knows of; negative if none
     * @param alignment that the caller knows of; 1 if none
     */
    @Export("void mi__free_formed(void* p, int form, ptrdiff_t size, size_t alignment)")
    public static void freeFormed(long p, int form, long size, long alignment) {
        long page = PageMap.pageOf(p);
        if (Secret.hasForms() && isKnown(page, p)) Harden.checkForm(page, blockOf(page, p), form);
        if (size >= 0) checkSize(p, size);
        freeAligned(p, alignment);
    }
}
