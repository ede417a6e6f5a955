package dev.mimalloc.tracking;

/** Makes the exceptions for what the {@link Tracker} finds. Their causes tell where the block came from. */
final class Misuse {
    private Misuse() {}

    /**
     * For an address where no block lives.
     *
     * @param freed the block that was there, or null
     */
    static IllegalArgumentException noBlock(long address, TrackedBlock freed) {
        if (freed != null) return new IllegalArgumentException("freed already: " + freed, freed.freedHere());
        String hex = "0x" + Long.toHexString(address);
        TrackedBlock around = Ledger.containing(address);
        if (around == null) {
            return new IllegalArgumentException("invalid pointer, not allocated here or freed long ago: " + hex);
        }
        boolean live = around.isLive();
        String place = hex + " is " + (address - around.address) + " bytes behind the start of " + around;
        return live ? new IllegalArgumentException("not the address of a block: " + place, around.allocatedHere())
                : new IllegalArgumentException("freed already: " + place, around.freedHere());
    }

    /**
     * For a block that was written past its end.
     *
     * @param offset of the first wrong byte from there
     */
    static IllegalStateException pastTheEnd(TrackedBlock block, int offset) {
        return new IllegalStateException("written past the end, " + offset + " bytes behind " + block,
                block.allocatedHere());
    }
}
