package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/**
 * What the operating system says of itself in small text files. Where there is no such file, the answer is that of most
 * systems.
 */
public final class OsConfig {
    /** How many bytes of a file are read: more than these files have, or than is looked at. */
    private static final long TEXT = 256;
    private static final long YES = 2, NO = 1;
    private static final int NODES = 64;

    private OsConfig() {}

    /**
     * Is committed memory backed only when it is touched? Asked once, when the process begins: later it may be in a
     * sandbox that ends it for opening a file.
     */
    public static boolean overcommits() {
        if (Root.overcommitsRelaxed() == 0) {
            long text = read(Text.literal("/proc/sys/vm/overcommit_memory"));
            Root.setOvercommitsRelaxed(text != 0 && getByte(text) == '2' ? NO : YES);
            Meta.free(text, TEXT);
        }
        return Root.overcommitsRelaxed() == YES;
    }

    /** The NUMA nodes that are on, a bit for each; nodes from 64 on have no bit. */
    public static long nodes() {
        long text = read(Text.literal("/sys/devices/system/node/online"));
        long nodes = text == 0 ? 0 : nodesOf(text);
        Meta.free(text, TEXT);
        return nodes == 0 ? 1 : nodes;
    }

    /** The numbers of a list such as {@code 0-3,8}, a bit for each. */
    public static long nodesOf(long list) {
        long nodes = 0;
        long first = -1; // of a range
        for (long at = list; isDigit(at);) {
            long number = number(at);
            for (long i = first < 0 ? number : first; i <= number && i < NODES; i++) nodes |= 1L << i;
            while (isDigit(at)) at++;
            first = getByte(at) == '-' ? number : -1;
            if (getByte(at) != 0) at++;
        }
        return nodes;
    }

    /**
     * The bytes of the process that are in memory, 0 if the system does not say. The second number of the file has them
     * in OS pages.
     */
    public static long resident() {
        long text = read(Text.literal("/proc/self/statm"));
        if (text == 0) return 0;
        long at = text;
        while (isDigit(at)) at++;
        long pages = number(at + 1);
        Meta.free(text, TEXT);
        return pages * Os.pageSize();
    }

    private static boolean isDigit(long at) { return getByte(at) >= '0' && getByte(at) <= '9'; }

    private static long number(long at) {
        long number = 0;
        for (; isDigit(at) && number < Config.MAX_SIZE / 10; at++) number = number * 10 + getByte(at) - '0';
        return number;
    }

    /** The start of a file, with a zero at its end, or 0; the caller frees it. */
    private static long read(long path) {
        long text = Meta.allocate(TEXT);
        if (text == 0 || Os.readFile(path, text, TEXT - 1) >= 0) return text;
        Meta.free(text, TEXT);
        return 0;
    }
}
