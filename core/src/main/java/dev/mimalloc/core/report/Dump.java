package dev.mimalloc.core.report;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.core.model.Arena;
import dev.mimalloc.core.model.Heap;
import dev.mimalloc.core.model.Main;
import dev.mimalloc.core.model.Page;
import dev.mimalloc.core.model.PageMap;
import dev.mimalloc.core.model.Subprocess;
import dev.mimalloc.core.thread.Startup;
import dev.mimalloc.machine.Export;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;
import dev.mimalloc.machine.ThreadSlot;
import dev.mimalloc.machine.UpperTable;

/**
 * The heap as JSON, for a picture of it: arenas with their pages and what is free in them, pages straight from the
 * system, and the allocator's own memory, each with what of it is resident.
 *
 * <p>It is written without malloc, also in a signal's handler, and waits for nobody: other threads go on, and what is
 * written may be a moment old, or of two moments. Arenas are walked by the page map and their bitmaps, whose memory
 * stays; for the lists a lock is needed, and if it cannot be had they are left out, and the dump says that it is not
 * complete.
 */
public final class Dump {
    /** A file for the machine's output function. */
    private static final long FILE = 0; // 8 once
    private static final long FAILED = FILE + 8; // 8: 1 after an error
    private static final long OUTPUT = FAILED + 8;

    /** How often a lock is tried: whoever holds it is done long before, unless a signal has stopped just that thread. */
    private static final int ATTEMPTS = 1000;

    private Dump() {}

    /** Writes a dump to a file that does not exist yet; false if it could not be written. */
    @Export("bool mi_heaps_dump_json(const char* file_name)")
    public static boolean toFile(long path) { return path != 0 && Startup.ready() && write(path, Os.open(path, true)); }

    /** Writes a dump to a new file that is open, and closes it. A part of a dump is of no use, and does not stay. */
    static boolean write(long path, long file) {
        if (file < 0) return false;
        long output = Meta.allocate(OUTPUT);
        if (output != 0) {
            putLong(output + FILE, file);
            long printer = Printer.open(Os.fileOutput(), output);
            if (printer == 0) putLong(output + FAILED, 1);
            else heaps(printer);
            Printer.close(printer);
        }
        Os.close(file);
        boolean done = output != 0 && getLong(output + FAILED) == 0;
        Meta.free(output, OUTPUT);
        if (!done) Os.remove(path);
        return done;
    }

    /** Writes a dump to {@code buffer}; false if it does not fit. For the JVM. */
    public static boolean into(long buffer, long size) {
        ThreadSlot.probeStackAround();
        long printer = Printer.into(buffer, size);
        if (printer != 0) heaps(printer);
        return Printer.closeBuffer(printer);
    }

    private static boolean tryAcquire(long lock) {
        for (int i = 0; i < ATTEMPTS; i++) {
            if (Lock.tryAcquire(lock)) return true;
            Os.yield();
        }
        return false;
    }

    private static void heaps(long printer) {
        // A subprocess that ends takes its arenas away: it cannot while this lock is held. The main one never ends.
        boolean complete = tryAcquire(Root.lock());
        Printer.labelled(printer, Text.literal("{\"mimalloc_dump\": "), 1);
        Printer.labelled(printer, Text.literal(", \"process\": "), Os.processId());
        Printer.labelled(printer, Text.literal(", \"time\": "), Os.time());
        Printer.labelled(printer, Text.literal(", \"slice\": "), Config.SLICE);
        Printer.labelled(printer, Text.literal(", \"os_page\": "), Os.pageSize());
        Printer.labelled(printer, Text.literal(", \"huge_page\": "), Arena.HUGE_PAGE << Config.SLICE_SHIFT);
        Printer.text(printer, Text.literal(",\n\"page_columns\": [\"slice\", \"slices\", \"block_size\", \"capacity\", "
                + "\"reserved\", \"live\", \"owner\", \"heap\", \"state\", \"resident\"],\n\"free_columns\": [\"slice\", "
                + "\"slices\", \"waits\", \"resident\"],\n\"subprocesses\": ["));
        if (complete) {
            for (long s = Root.subprocesses(); s != 0; s = Subprocess.next(s)) {
                subprocess(printer, s);
                if (Subprocess.next(s) != 0) Printer.text(printer, Text.literal(",\n"));
            }
            Lock.release(Root.lock());
        } else {
            subprocess(printer, Main.subprocess());
        }
        Printer.text(printer, Text.literal("],\n\"metadata\": ["));
        boolean first = true;
        for (long page = Meta.nextPage(0); page != 0; page = Meta.nextPage(page)) {
            mapping(printer, first, page, Meta.PAGE);
            first = false;
        }
        for (long i = 0; i < PageMap.upperSize(); i++) {
            long lower = UpperTable.getAcquire(i);
            if (lower != 0) mapping(printer, first, lower, PageMap.lowerSize());
            if (lower != 0) first = false;
        }
        Printer.labelled(printer, Text.literal("],\n\"complete\": "), complete ? 1 : 0);
        Printer.text(printer, Text.literal("}\n"));
    }

    private static void subprocess(long printer, long subprocess) {
        Printer.text(printer, subprocess == Main.subprocess() ? Text.literal("{\"main\": 1") : Text.literal("{\"main\": 0"));
        Printer.text(printer, Text.literal(", \"arenas\": ["));
        boolean first = true;
        for (long i = 0; i < Subprocess.arenaCount(subprocess); i++) {
            long arena = Subprocess.arena(subprocess, i);
            if (arena == 0) continue;
            Printer.text(printer, first ? Text.literal("\n") : Text.literal(",\n"));
            first = false;
            arena(printer, arena);
        }
        osPages(printer, subprocess);
        Printer.letter(printer, '}');
    }

    private static void arena(long printer, long arena) {
        Printer.labelled(printer, Text.literal("{\"start\": "), Arena.start(arena));
        Printer.labelled(printer, Text.literal(", \"slices\": "), Arena.slices(arena));
        Printer.labelled(printer, Text.literal(", \"node\": "), Arena.numaNodeRelaxed(arena));
        Printer.labelled(printer, Text.literal(", \"exclusive\": "), Arena.isExclusive(arena) ? 1 : 0);
        Printer.labelled(printer, Text.literal(", \"pinned\": "), Arena.isPinned(arena) ? 1 : 0);
        Printer.labelled(printer, Text.literal(", \"meta\": "), Arena.metaSize(arena));
        Printer.labelled(printer, Text.literal(", \"meta_resident\": "), Os.resident(arena, Arena.metaSize(arena)));
        Printer.text(printer, Text.literal(",\n\"huge\": ["));
        runs(printer, Arena.huge(arena), Arena.slices(arena) / Arena.HUGE_PAGE);
        Printer.text(printer, Text.literal("],\n\"free\": ["));
        free(printer, arena);
        Printer.text(printer, Text.literal("],\n\"pages\": ["));
        pages(printer, arena);
        Printer.text(printer, Text.literal("]}"));
    }

    private static void row(long printer, boolean first, long value) {
        Printer.labelled(printer, first ? Text.literal("[") : Text.literal(", ["), value);
    }

    private static void column(long printer, long value) { Printer.labelled(printer, Text.literal(","), value); }

    private static void runs(long printer, long bitmap, long bits) {
        boolean first = true;
        long at = 0;
        while ((at = Bitmap.nextSet(bitmap, at, bits)) >= 0) {
            long length = Config.max(1, Bitmap.runLength(bitmap, at, bits));
            row(printer, first, at);
            column(printer, length);
            Printer.letter(printer, ']');
            first = false;
            at += length;
        }
    }

    /** Runs of free slices that have memory, or wait to be purged. */
    private static void free(long printer, long arena) {
        boolean first = true;
        long slices = Arena.slices(arena), at = 0;
        while ((at = Bitmap.nextSet(Arena.free(arena), at, slices)) >= 0) {
            long end = at + Config.max(1, Bitmap.runLength(Arena.free(arena), at, slices));
            while (at < end) {
                boolean waits = Bitmap.isSet(Arena.waiting(arena), at);
                long next = waits ? at + Config.max(1, Bitmap.runLength(Arena.waiting(arena), at, end)) : Bitmap.nextSet(Arena.waiting(arena), at, end);
                if (next <= at) next = end;
                // What does not wait is looked at by regions, as most of an arena never had memory.
                if (!waits) next = Config.min(next, Config.alignUp(at + 1, Arena.HUGE_PAGE));
                long resident = Os.resident(Arena.address(arena, at), next - at << Config.SLICE_SHIFT);
                if (waits || resident > 0) {
                    row(printer, first, at);
                    column(printer, next - at);
                    column(printer, waits ? 1 : 0);
                    column(printer, resident);
                    Printer.letter(printer, ']');
                    first = false;
                }
                at = next;
            }
        }
    }

    private static void pages(long printer, long arena) {
        boolean first = true;
        long slices = Arena.slices(arena);
        for (long at = 0; at < slices;) {
            long page = Arena.descriptor(arena, at);
            if (Bitmap.isSet(Arena.free(arena), at)) at += Config.max(1, Bitmap.runLength(Arena.free(arena), at, slices));
            else if (PageMap.pageOf(Arena.address(arena, at)) != page) at++; // claimed for a page, or a purge
            else {
                long count = Config.min(Config.max(1, Page.slices(page)), slices - at);
                if (page(printer, first, page, at, count, Arena.address(arena, at), count << Config.SLICE_SHIFT)) first = false;
                at += count;
            }
        }
    }

    /** False if the page is not there any more. */
    private static boolean page(long printer, boolean first, long page, long place, long slices, long start, long bytes) {
        long size = Page.blockSize(page), heap = Page.heapAcquire(page);
        long reserved = Page.reserved(page), capacity = Config.min(Page.capacity(page), reserved);
        long live = Config.min(Config.max(0, Page.live(page)), capacity);
        if (size <= 0 || heap == 0) return false;
        row(printer, first, place);
        column(printer, slices);
        column(printer, size);
        column(printer, capacity);
        column(printer, reserved);
        column(printer, live);
        column(printer, Page.isAbandoned(page) ? 0 : Page.threadId(page));
        column(printer, Heap.sequence(heap));
        Printer.text(printer, Text.literal(",\""));
        Printer.text(printer, state(page));
        Printer.letter(printer, '"');
        column(printer, Os.resident(start, bytes));
        Printer.letter(printer, ']');
        return true;
    }

    private static long state(long page) {
        if (Page.isSingleton(page)) return Text.literal("single");
        if (Page.isAbandoned(page)) return Text.literal("abandoned");
        if (Page.has(page, Page.IN_FULL)) return Text.literal("full");
        return Page.retire(page) != 0 ? Text.literal("retiring") : Text.literal("owned");
    }

    /** Ends the list of arenas, and writes that of pages that have a mapping of their own: their places are addresses. */
    private static void osPages(long printer, long subprocess) {
        Printer.text(printer, Text.literal("],\n\"os_pages\": ["));
        boolean lives = tryAcquire(Subprocess.livesLock(subprocess)), os = lives && tryAcquire(Subprocess.osLock(subprocess));
        boolean first = true;
        for (long heap = os ? Subprocess.heaps(subprocess) : 0; heap != 0; heap = Heap.next(heap)) {
            for (long page = Heap.osPages(heap); page != 0; page = Page.osNext(page)) {
                if (page(printer, first, page, Page.osBase(page), Page.osSize(page) >>> Config.SLICE_SHIFT, Page.osBase(page), Page.osSize(page))) first = false;
            }
        }
        if (os) Lock.release(Subprocess.osLock(subprocess));
        if (lives) Lock.release(Subprocess.livesLock(subprocess));
        Printer.labelled(printer, Text.literal("], \"complete\": "), os ? 1 : 0);
    }

    /** Memory of the allocator's own: structs, or a table of the page map. */
    private static void mapping(long printer, boolean first, long address, long size) {
        row(printer, first, address);
        column(printer, size);
        column(printer, Os.resident(address, size));
        Printer.letter(printer, ']');
    }
}
