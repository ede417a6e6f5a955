package dev.mimalloc.tools.view;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A dump that the library has written. Resident memory is divided up by what it is for, so that the parts add up to
 * what the dump has as resident.
 *
 * @param complete false if lists could not be read when it was written
 * @param estimated true if it does not say what is resident, as on the JVM of Windows and macOS, and so that is what may be
 * @param metadata resident bytes of the allocator's own memory, arenas' included
 */
record HeapDump(long process, int slice, int osPage, int hugePage, List<Arena> arenas, List<Page> osPages, long metadata,
        boolean complete, boolean estimated) {

    /**
     * A range of memory from the system.
     *
     * @param huge regions advised to be huge pages
     */
    record Arena(long start, int slices, List<Run> huge, List<Free> free, List<Page> pages) {}

    record Run(int first, int count) {}

    /** Free slices that have memory, or wait to be purged. */
    record Free(int first, int count, boolean waits, long resident) {}

    /**
     * A page.
     *
     * @param place its first slice, or the address of one that has a mapping of its own
     * @param bytes of its slices
     * @param owner a thread's number, or 0
     */
    record Page(long place, int slices, long bytes, long blockSize, int capacity, int reserved, int live, long owner, long heap,
            String state, long resident) {
        /** Resident bytes of live blocks; the others of a large block may never have been touched. */
        long liveBytes() { return Math.min(blockSize * live, resident); }

        /** Resident bytes of free blocks. */
        long freeBytes() { return Math.min(blockSize * (capacity - live), resident - liveBytes()); }

        /** What is resident of the page's end: blocks that were never given out, and what is too short for one. */
        long endBytes() { return resident - liveBytes() - freeBytes(); }

        double fill() { return bytes == 0 ? 0 : Math.min(1, (double) blockSize * live / bytes); }
    }

    /** Resident bytes by what they are for. */
    record Parts(long live, long free, long ends, long waiting, long idle, long metadata) {
        long total() { return live + free + ends + waiting + idle + metadata; }
    }

    static HeapDump read(Path file) throws IOException {
        try {
            return parse(Files.readString(file));
        } catch (JacksonException | CharacterCodingException e) {
            throw new IOException(file + " is not a dump of mimalloc's, or not a whole one", e);
        }
    }

    /** Throws what Jackson throws if it is not whole. */
    static HeapDump parse(String text) throws IOException {
        JsonNode root = JsonMapper.shared().readTree(text);
        if (!root.has("mimalloc_dump") || !root.has("complete")) throw new IOException("not a dump of mimalloc's");
        int slice = root.get("slice").asInt(), osPage = root.get("os_page").asInt();
        boolean complete = root.get("complete").asInt() == 1;
        boolean estimated = false;
        long metadata = 0;
        var arenas = new ArrayList<Arena>();
        var osPages = new ArrayList<Page>();
        for (JsonNode subprocess : root.get("subprocesses")) {
            for (JsonNode arena : subprocess.get("arenas")) {
                metadata += Math.max(0, arena.get("meta_resident").asLong());
                estimated |= arena.get("meta_resident").asLong() < 0;
                arenas.add(arena(arena, slice, osPage));
            }
            for (JsonNode page : subprocess.get("os_pages")) osPages.add(page(page, slice, osPage));
            complete &= subprocess.get("complete").asInt() == 1;
        }
        for (JsonNode mapping : root.get("metadata")) {
            metadata += Math.max(0, mapping.get(2).asLong());
            estimated |= mapping.get(2).asLong() < 0;
        }
        return new HeapDump(root.get("process").asLong(), slice, osPage, root.get("huge_page").asInt(), arenas, osPages, metadata, complete,
                estimated);
    }

    private static Arena arena(JsonNode arena, int slice, int osPage) {
        var huge = new ArrayList<Run>();
        var free = new ArrayList<Free>();
        var pages = new ArrayList<Page>();
        for (JsonNode run : arena.get("huge")) huge.add(new Run(run.get(0).asInt(), run.get(1).asInt()));
        for (JsonNode run : arena.get("free")) {
            boolean waits = run.get(2).asInt() == 1;
            long resident = run.get(3).asLong();
            // As with pages: most of what waits was in one a moment ago.
            if (resident < 0) resident = waits ? run.get(1).asLong() * slice : 0;
            free.add(new Free(run.get(0).asInt(), run.get(1).asInt(), waits, resident));
        }
        for (JsonNode page : arena.get("pages")) pages.add(page(page, slice, osPage));
        return new Arena(arena.get("start").asLong(), arena.get("slices").asInt(), huge, free, pages);
    }

    private static Page page(JsonNode row, int slice, int osPage) {
        long blockSize = row.get(2).asLong(), bytes = row.get(1).asLong() * slice, resident = row.get(9).asLong();
        int capacity = row.get(3).asInt();
        // Where the system does not tell: what was given out so far has been touched.
        if (resident < 0) resident = Math.min(bytes, (blockSize * capacity + osPage - 1) / osPage * osPage);
        return new Page(row.get(0).asLong(), row.get(1).asInt(), bytes, blockSize, capacity, row.get(4).asInt(), row.get(5).asInt(),
                row.get(6).asLong(), row.get(7).asLong(), row.get(8).asString(), resident);
    }

    List<Page> pages() {
        var all = new ArrayList<>(osPages);
        arenas.forEach(arena -> all.addAll(arena.pages));
        return all;
    }

    Parts parts() { return parts(pages(), true); }

    /** Of some pages, and of what is not in pages if {@code rest} is true. */
    Parts parts(List<Page> pages, boolean rest) {
        long live = 0, free = 0, ends = 0, waiting = 0, idle = 0;
        for (Page page : pages) {
            live += page.liveBytes();
            free += page.freeBytes();
            ends += page.endBytes();
        }
        for (Arena arena : rest ? arenas : List.<Arena>of()) {
            for (Free run : arena.free) {
                waiting += run.waits ? run.resident : 0;
                idle += run.waits ? 0 : run.resident;
            }
        }
        return new Parts(live, free, ends, waiting, idle, rest ? metadata : 0);
    }
}
