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
        raise(code, text, p, story, mismatch);
    }

    /** Reports a second free of a guarded block of so many bytes, which is freed and whose addresses are kept. */
    public static void reportGuarded(long p, long bytes, long freer) {
        long story = Meta.allocate(2 * STORY);
        if (story != 0) tellGuarded(story, p, bytes, freer);
        raise(Errors.EAGAIN, literal("a guarded block is freed twice"), p, story, false);
    }

    private static void raise(int code, long text, long p, long story, boolean mismatch) {
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
        else tellPage(printer, page, size, p, story + STORY);
        end(printer, story, size == 0 ? p : block(page, size, p));
    }

    private static void tellGuarded(long story, long p, long bytes, long freer) {
        long printer = into(story, STORY);
        if (printer == 0) return;
        labelled(printer, literal("  the freed block has "), bytes);
        thread(printer, literal(" bytes, and was freed by thread "), freer, story + STORY);
        letter(printer, '\n');
        end(printer, story, p);
    }

    private static void end(long printer, long story, long block) {
        thread(printer, literal("  this thread: "), ThreadSlot.id(), story + STORY);
        letter(printer, '\n');
        Callers.describe(block, story + STORY, STORY);
        text(printer, story + STORY);
        closeBuffer(printer);
    }

    private static long block(long page, long size, long p) {
        return Page.isGuarded(page) ? Page.guardedBlock(page) : p - Long.remainderUnsigned(p - Page.start(page), size);
    }

    private static void tellPage(long printer, long page, long size, long p, long buffer) {
        long block = block(page, size, p);
        text(printer, literal("  block "));
        hex(printer, block);
        text(printer, literal(": "));
        text(printer, state(page, block));
        if (Padding.isPadded(page) && Page.isInUse(page, block) && Padding.padding(page, block) != 0) {
            labelled(printer, literal(", bytes asked for: "), size - Padding.padding(page, block));
            text(printer, Padding.formName(page, block));
        }
        if (p != block) labelled(printer, literal("; the address lies inside, at "), p - block);
        labelled(printer, literal("\n  its page: blocks of "), size);
        labelled(printer, literal(" bytes, in use "), Page.live(page));
        labelled(printer, literal("; heap "), Heap.sequence(Page.heapAcquire(page)));
        if (Page.isAbandoned(page)) text(printer, literal("; of no thread"));
        else thread(printer, literal("; thread "), Page.threadId(page), buffer);
        letter(printer, '\n');
    }

    /** Names a thread: in C by its address, on the JVM as stack dumps do. */
    private static void thread(long printer, long label, long id, long buffer) {
        text(printer, label);
        if (Callers.nameThread(id, buffer, STORY)) text(printer, buffer);
        else hex(printer, id);
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
