package dev.mimalloc.core.model;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Root;

/** The structs that are always there: they lie in static memory, behind {@link Root}, and are zero at first. */
public final class Main {
    private static final long EMPTY_PAGE = 0; // a Page without blocks, which stands for no page in direct tables
    private static final long SUBPROCESS = EMPTY_PAGE + Page.MAX_SIZE + LINE - 1 & -LINE; // the main subprocess
    private static final long HEAP = SUBPROCESS + Subprocess.SIZE + LINE - 1 & -LINE; // the main heap
    static final long SIZE = HEAP + Heap.SIZE;

    private Main() {}

    private static long at(long offset) { return Root.at(Root.SIZE + offset); }

    public static long emptyPage() { return at(EMPTY_PAGE); }
    public static long subprocess() { return at(SUBPROCESS); }
    public static long heap() { return at(HEAP); }

    /** As at the start of the process, with the root. */
    public static void clear() {
        fill(at(EMPTY_PAGE), SIZE, 0);
        Root.clear();
    }
}
