package dev.mimalloc.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The model: the blocks that are out. They do not overlap over their whole usable size, keep the alignment that C
 * asks for, and each holds the pattern that was written into it when it was added. For any number of threads.
 */
final class LiveBlocks {
    record Block(long address, long size, long usable, long heap, long seed) {
        /** Fails unless the first bytes still hold what was written. */
        void check(long address, long kept) {
            long at = kept == size ? Pattern.mismatch(address, size, seed)
                    : Pattern.prefixMismatch(address, kept, seed);
            if (at >= 0) fail("%s was overwritten at offset %d (looked at 0x%x)", this, at, address);
        }

        @Override
        public String toString() {
            return "block 0x%x of %d bytes (usable %d) in heap 0x%x".formatted(address, size, usable, heap);
        }
    }

    private final Allocator allocator;
    private final TreeMap<Long, Block> byAddress = new TreeMap<>();
    private long seeds;

    LiveBlocks(Allocator allocator) { this.allocator = allocator; }

    long add(long address, long size) { return add(address, size, 0); }

    /** Takes a block in that an allocation of so many bytes returned, writes its pattern, and returns its address. */
    long add(long address, long size, long heap) {
        assertThat(address).as("address of a block of %d bytes", size).isNotZero();
        assertThat(address % (size < 16 ? 8 : 16)).as("alignment of 0x%x, %d bytes", address, size).isZero();
        long usable = allocator.usableSize(address);
        assertThat(usable).as("usable size of 0x%x, %d bytes", address, size).isGreaterThanOrEqualTo(size);
        Block block;
        synchronized (this) {
            block = new Block(address, size, usable, heap, ++seeds);
            var below = byAddress.floorEntry(address);
            if (below != null && below.getValue().address() + Math.max(1, below.getValue().usable()) > address) {
                fail("%s overlaps %s", block, below.getValue());
            }
            var above = byAddress.ceilingEntry(address);
            if (above != null && address + usable > above.getKey()) fail("%s overlaps %s", block, above.getValue());
            byAddress.put(address, block);
        }
        Pattern.write(address, size, block.seed());
        return address;
    }

    /** Takes a block out, just before it is freed, after checking that it holds its pattern. */
    Block remove(long address) {
        Block block;
        synchronized (this) {
            block = byAddress.remove(address);
        }
        assertThat(block).as("0x%x is live", address).isNotNull();
        block.check(address, block.size());
        return block;
    }

    void free(long address) {
        remove(address);
        allocator.free(address);
    }

    void freeAll() {
        for (Block block : all()) free(block.address());
    }

    /** Takes a heap's blocks out: it is about to be destroyed. */
    void removeHeap(long heap) {
        for (Block block : all()) {
            if (block.heap() == heap) remove(block.address());
        }
    }

    /** A deleted heap's blocks now belong to another. */
    synchronized void moveHeap(long heap, long to) {
        byAddress.replaceAll((a, b) -> b.heap() == heap ? new Block(a, b.size(), b.usable(), to, b.seed()) : b);
    }

    void checkAll() {
        for (Block block : all()) block.check(block.address(), block.size());
    }

    synchronized List<Block> all() { return new ArrayList<>(byAddress.values()); }
    synchronized int count() { return byAddress.size(); }
    synchronized Block at(long address) { return byAddress.get(address); }
    /** The bytes of all blocks, with what their users do not have. */
    synchronized long blockBytes() { return byAddress.values().stream().mapToLong(b -> Padding.block(allocator, b.size())).sum(); }
    synchronized long usableBytes() { return byAddress.values().stream().mapToLong(Block::usable).sum(); }
}
