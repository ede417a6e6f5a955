package dev.mimalloc;

import dev.mimalloc.machine.Unpinned;
import dev.mimalloc.tracking.CallStack;
import dev.mimalloc.tracking.Ledger;
import dev.mimalloc.tracking.TrackedBlock;
import dev.mimalloc.tracking.Tracker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Finds blocks that nobody frees, and what else goes wrong with memory that is freed by hand. It works when the program
 * is started with the system property {@code dev.mimalloc.leaks}; otherwise nothing is recorded, and nothing costs
 * anything.
 *
 * <table>
 * <caption>System properties; they are read once</caption>
 * <tr><th>property</th><th>meaning</th></tr>
 * <tr>
 * <td>{@code -Ddev.mimalloc.leaks}, {@code =exit}, {@code =true}</td>
 * <td>tracks, and prints to standard error what is left when the JVM shuts down; what other shutdown hooks
 * free may still be among it</td>
 * </tr>
 * <tr>
 * <td>{@code -Ddev.mimalloc.leaks=quiet}</td>
 * <td>tracks; prints nothing by itself</td>
 * </tr>
 * <tr>
 * <td>{@code -Ddev.mimalloc.leaks=off}, {@code false}, {@code 0}</td>
 * <td>as without it</td>
 * </tr>
 * <tr>
 * <td>{@code -Ddev.mimalloc.leaks.depth=16}</td>
 * <td>how many frames of each stack are recorded; with 0 a block costs much less</td>
 * </tr>
 * <tr>
 * <td>{@code -Ddev.mimalloc.leaks.freed=10000}</td>
 * <td>how many freed blocks are remembered, to recognise one that is freed again</td>
 * </tr>
 * </table>
 *
 * <p>With {@code -Ddev.mimalloc.debug} it tracks as with {@code quiet}, unless this property says something else.
 *
 * <p>While it tracks, each block has its origin recorded: size, thread, time and stack, from the caller of this package
 * outwards. {@link Mimalloc#usableSize} is what was asked for; the bytes behind it are padding with a known pattern,
 * at least 8 of them, which count where a limit is set. A freed block's first bytes are overwritten with {@code 0xDF}.
 * The stacks are there as the causes of these exceptions:
 *
 * <ul>
 * <li>freed already: an {@code IllegalArgumentException} whose cause has the stack of the first {@code free}, and that
 * one's cause the stack of the allocation. So for every other use of a freed address.
 * <li>not the address of a block, but one inside of it: an {@code IllegalArgumentException} whose cause has the stack
 * of that block's allocation.
 * <li>an address from elsewhere: an {@code IllegalArgumentException} that says so.
 * <li>written past the end: an {@code IllegalStateException} whose cause has the stack of the allocation. {@code free}
 * and {@link Heap#close} throw it when they have done their work; {@code realloc} throws it before it has done
 * anything, and the next {@code realloc} goes through.
 * </ul>
 *
 * <p>A {@code free} that throws {@code OutOfMemoryError}, as there is no Java memory left at all, has freed nothing. A
 * block that has been resized counts as allocated there. The blocks of a heap that is closed are freed by that;
 * those of a heap that is deleted stay.
 *
 * <p>All methods may be called by any thread, while others allocate and free. They see each block either live or not;
 * but blocks that come and go meanwhile may be seen or not.
 */
public final class Leaks {
    private Leaks() {}

    /**
     * Whether blocks are tracked in this process.
     *
     * @return true if the process was started with the property
     */
    public static boolean isTracking() { return Tracker.ON; }

    /**
     * The live blocks by the stack that has allocated them: the most bytes first, of as many bytes the most blocks
     * first. Empty when nothing is tracked.
     *
     * @return a group for each stack; empty when nothing is tracked
     */
    public static List<Group> live() {
        if (!Tracker.ON) return List.of();
        Map<CallStack, Sum> sums = new HashMap<>();
        for (TrackedBlock block : Ledger.all()) {
            if (block.isLive()) sums.computeIfAbsent(block.stack(), _ -> new Sum()).add(block);
        }
        List<Group> groups = new ArrayList<>(sums.size());
        sums.forEach((stack, sum) -> groups.add(sum.group(stack)));
        groups.sort(Comparator.comparingLong(Group::bytes).thenComparingLong(Group::count).reversed());
        return groups;
    }

    /**
     * The live blocks that have been written past their end, in no order. Empty when nothing is tracked.
     *
     * @return what was damaged
     */
    public static List<Block> check() {
        if (!Tracker.ON) return List.of();
        List<Block> damaged = new ArrayList<>();
        for (TrackedBlock block : Ledger.all()) {
            if (block.isDamaged()) damaged.add(block.describe());
        }
        return damaged;
    }

    /**
     * Prints the live blocks as {@link #live} groups them, and those that {@link #check} finds.
     *
     * @param out where the text goes
     * @throws UncheckedIOException if this cannot be written to
     */
    public static void print(Appendable out) {
        try {
            if (Tracker.ON) print(out, live(), check());
            else out.append("mimalloc: leaks are not tracked; start with -Ddev.mimalloc.leaks\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void print(Appendable out, List<Group> groups, List<Block> damaged) throws IOException {
        Instant now = Instant.now();
        if (groups.isEmpty()) out.append("mimalloc: no leaks\n");
        else {
            long bytes = groups.stream().mapToLong(Group::bytes).sum();
            long count = groups.stream().mapToLong(Group::count).sum();
            out.append(String.format(Locale.ROOT, "mimalloc: %,d bytes live in %,d blocks, from %,d places\n", bytes,
                    count, groups.size()));
        }
        for (Group group : groups) {
            out.append(String.format(Locale.ROOT, "%,d bytes in %,d blocks, the oldest allocated %s ago\n", group.bytes,
                    group.count, seconds(group.oldest, now)));
            print(out, group.stack);
        }
        for (Block block : damaged) {
            out.append(String.format(Locale.ROOT,
                    "written past the end of %,d bytes at 0x%x, allocated %s ago by thread %s\n", block.size,
                    block.address, seconds(block.allocated, now), block.thread));
            print(out, block.stack);
        }
    }

    private static String seconds(Instant from, Instant to) {
        return String.format(Locale.ROOT, "%.1f s", Duration.between(from, to).toMillis() / 1000.0);
    }

    private static void print(Appendable out, List<StackTraceElement> stack) throws IOException {
        for (StackTraceElement frame : stack) out.append("\tat ").append(frame.toString()).append('\n');
    }

    /** Sees to it that the report is printed when the JVM shuts down. */
    static void printAtExit() {
        try {
            Unpinned.atExit("mimalloc-leaks", () -> print(System.err));
        } catch (IllegalStateException e) {
            // The JVM is shutting down already: what is allocated from now on is too late for a report.
        }
    }

    /**
     * The live blocks that one stack has allocated.
     *
     * @param stack the innermost frame first; the allocator's own are left out
     * @param count how many blocks
     * @param bytes how many bytes were asked for, in total
     * @param oldest when the first of them was allocated
     */
    public record Group(List<StackTraceElement> stack, long count, long bytes, Instant oldest) {}

    /**
     * A block.
     *
     * @param address where it starts
     * @param size how many bytes were asked for
     * @param thread the name of the thread that has allocated it, or # and its number
     * @param allocated when
     * @param stack where: the innermost frame first; the allocator's own are left out
     */
    public record Block(long address, long size, String thread, Instant allocated, List<StackTraceElement> stack) {}

    private static final class Sum {
        private long count;
        private long bytes;
        private long oldest = Long.MAX_VALUE;

        void add(TrackedBlock block) {
            count++;
            bytes += block.size();
            oldest = Math.min(oldest, block.time());
        }

        Group group(CallStack stack) { return new Group(stack.frames(), count, bytes, Instant.ofEpochMilli(oldest)); }
    }
}
