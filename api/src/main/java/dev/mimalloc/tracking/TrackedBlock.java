package dev.mimalloc.tracking;

import dev.mimalloc.Leaks;
import dev.mimalloc.core.malloc.Free;
import dev.mimalloc.machine.Memory;
import java.time.Instant;

/**
 * A block whose origin is known, with padding behind it that nobody should write to.
 *
 * <p>The monitor guards all that changes. While it is held, and the block lives, nobody frees the memory: so any thread
 * may look at the padding of a live block. Once the block has ended only the thread that has ended it may.
 */
public final class TrackedBlock {
    /** The least number of bytes behind a block. */
    static final int PADDING = 8;

    /** Of the rest of a large block no more is touched than this. */
    private static final int PADDING_MAX = 4096;
    private static final int PADDING_BYTE = 0xDE;
    private static final int FREED_BYTE = 0xDF;

    final Long address; // boxed once: it is a key
    final long heap;
    private long size;
    private int padding;
    private boolean told; // that it was written past its end
    private CallStack stack;
    private String thread;
    private long threadId;
    private long time;
    private CallStack freed; // null as long as the block lives
    private String freedBy;
    private long freedById;
    private long freedTime;

    TrackedBlock(long address, long heap, long size, CallStack stack) {
        this.address = address;
        this.heap = heap;
        own(size, Free.usableSize(address), stack);
    }

    private void own(long size, long usable, CallStack stack) {
        this.size = size;
        this.padding = (int) Math.min(usable - size, PADDING_MAX);
        this.stack = stack;
        this.thread = Thread.currentThread().getName();
        this.threadId = Thread.currentThread().threadId();
        this.time = System.currentTimeMillis();
        pad();
    }

    private static String name(String name, long id) { return name.isEmpty() ? "#" + id : name; }

    private void pad() { Memory.fill(address + size, padding, PADDING_BYTE); }

    public synchronized long size() { return size; }

    public synchronized boolean isLive() { return freed == null; }

    public synchronized CallStack stack() { return stack; }

    public synchronized long time() { return time; }

    /** Whether an address lies in the block, or in its padding. */
    synchronized boolean contains(long other) { return other >= address && other - address < size + padding; }

    /** Ends the block's life; false if that has been done before. */
    synchronized boolean end(CallStack where) {
        if (freed != null) return false;
        freed = where;
        freedBy = Thread.currentThread().getName();
        freedById = Thread.currentThread().threadId();
        freedTime = System.currentTimeMillis();
        return true;
    }

    /** The offset of the first byte behind the block that was written to, or -1. For who may look at the padding. */
    int damagedAt() {
        for (int i = 0; i < padding; i++) {
            if (Memory.getByte(address + size + i) != PADDING_BYTE) return i;
        }
        return -1;
    }

    /** As {@link #damagedAt} for a block that others may free; it is reported once. */
    synchronized int repair() {
        int damaged = freed == null ? damagedAt() : -1;
        if (damaged >= 0) {
            tell();
            pad();
        }
        return damaged;
    }

    /** From now on it is known that the block was written past its end. */
    synchronized void tell() { told = true; }

    synchronized boolean isTold() { return told; }

    public synchronized boolean isDamaged() { return freed == null && damagedAt() >= 0; }

    /**
     * Makes it seen that the block has been freed. Its first bytes are enough for that, and memory that was never
     * touched stays so.
     */
    void wipe() { Memory.fill(address, Math.min(size, PADDING_MAX), FREED_BYTE); }

    /** Changes the size where core would, too: if it fits, and wastes at most half. */
    synchronized boolean resize(long wanted, long alignment, boolean zero, CallStack where) {
        if (freed != null || Long.bitCount(alignment) != 1 || (address & alignment - 1) != 0) return false;
        long usable = Free.usableSize(address);
        if (wanted > usable - PADDING || wanted < usable / 2 || wanted == 0) return false;
        if (zero && wanted > size) Memory.fill(address + size, wanted - size, 0);
        own(wanted, usable, where);
        return true;
    }

    public synchronized Leaks.Block describe() {
        return new Leaks.Block(address, size, name(thread, threadId), Instant.ofEpochMilli(time), stack.frames());
    }

    synchronized EarlierCall allocatedHere() {
        String what = "allocated here: " + size + " bytes, by thread " + name(thread, threadId) + ", " + ago(time);
        return new EarlierCall(what, stack, null);
    }

    synchronized EarlierCall freedHere() {
        return new EarlierCall("freed here: by thread " + name(freedBy, freedById) + ", " + ago(freedTime), freed,
                allocatedHere());
    }

    private static String ago(long time) { return (System.currentTimeMillis() - time) / 1000.0 + " s ago"; }

    @Override
    public synchronized String toString() { return size + " bytes at 0x" + Long.toHexString(address); }
}
