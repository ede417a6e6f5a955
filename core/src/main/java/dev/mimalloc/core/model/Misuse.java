package dev.mimalloc.core.model;

import static dev.mimalloc.core.base.Printer.*;
import static dev.mimalloc.machine.Text.literal;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Errors;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.machine.Callback;
import dev.mimalloc.machine.Callers;
import dev.mimalloc.machine.ThreadSlot;

/**
 * The report of a misuse: one line that says what is wrong at which address, and below it what is known of the block that
 * lies there, of its page and of the threads. In the debug build also who has allocated and freed the block.
 *
 * <p>Other threads may go on meanwhile: what is told of a page that is another's is a snapshot.
 */
public final class Misuse {
    private static final long STORY = 4096;

    private Misuse() {}

    /** Reports a misuse that may have done harm; see {@link Errors#misuse}. */
    public static void report(int code, long text, long p) { report(code, text, p, false); }

    /**
     * Reports that a block is freed in a way that does not fit its allocation. Here nothing comes of it, and programs that
     * have always done so are many: the option can leave such a process alone.
     */
    public static void reportMismatch(long text, long p) { report(Errors.EINVAL, text, p, true); }

    private static void report(int code, long text, long p, boolean mismatch) {
        long story = Meta.allocate(2 * STORY);
        if (story != 0) tell(story, p);
        if (Callback.keepStory(story)) Meta.free(story, 2 * STORY); // an exception follows
        Errors.misuse(code, text, p, story, mismatch);
        Meta.free(story, 2 * STORY);
    }

    private static void tell(long story, long p) {
        long printer = into(story, STORY);
        if (printer == 0) return;
        long page = PageMap.pageOf(p);
        long size = page == 0 ? 0 : Page.blockSize(page); // 0 also if the page is going just now
        if (size == 0) text(printer, literal("  no page of the allocator is there\n"));
        else tellPage(printer, page, size, p);
        text(printer, literal("  this thread: "));
        hex(printer, ThreadSlot.id());
        letter(printer, '\n');
        Callers.describe(size == 0 ? p : block(page, size, p), story + STORY, STORY);
        text(printer, story + STORY);
        closeBuffer(printer);
    }

    private static long block(long page, long size, long p) {
        return Page.isGuarded(page) ? Page.guardedBlock(page) : p - Long.remainderUnsigned(p - Page.start(page), size);
    }

    private static void tellPage(long printer, long page, long size, long p) {
        long block = block(page, size, p);
        text(printer, literal("  block "));
        hex(printer, block);
        text(printer, literal(": "));
        text(printer, state(page, block));
        if (Padding.isPadded(page) && Page.isInUse(page, block) && Padding.padding(page, block) != 0) {
            labelled(printer, literal(", bytes asked for: "), size - Padding.padding(page, block));
            text(printer, Padding.formName(Padding.form(page, block)));
        }
        if (p != block) labelled(printer, literal("; the address lies inside, at "), p - block);
        labelled(printer, literal("\n  its page: blocks of "), size);
        labelled(printer, literal(" bytes, in use "), Page.live(page));
        labelled(printer, literal("; heap "), Heap.sequence(Page.heapAcquire(page)));
        text(printer, Page.isAbandoned(page) ? literal("; of no thread, ") : literal("; thread "));
        hex(printer, Page.threadId(page));
        letter(printer, '\n');
    }

    private static long state(long page, long block) {
        if (Page.isGuarded(page)) return literal("guarded");
        if (!Page.isHardened(page)) return literal("free or in use");
        if (Page.isInUse(page, block)) return literal("in use");
        if (!Page.isBlockStart(page, block)) return literal("never allocated");
        return isFreedByOthers(page, block) ? literal("freed by another thread") : literal("free");
    }

    /** Is a block in the page's thread-free list? The owner may take the list meanwhile: then it leads elsewhere. */
    private static boolean isFreedByOthers(long page, long block) {
        long word = Page.threadFreeAcquire(page);
        long at = Page.head(word);
        int left = Page.count(word);
        for (; left > 0 && at != block && at != 0 && Page.isLink(page, at); left--) at = Page.nextBlock(page, at);
        return at == block;
    }
}
