package dev.mimalloc.arrow.programs;

import dev.mimalloc.arrow.MimallocAllocationManager;
import org.apache.arrow.memory.AllocationManager;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferLedger;
import org.apache.arrow.memory.RootAllocator;

/** A program that prints which allocation manager Arrow uses, after a few buffers. */
public final class Which {
    private Which() {}

    public static void main(String[] arguments) {
        // The factory before anything of Arrow's: Arrow's allocators are initialised from within ours then.
        AllocationManager.Factory factory = arguments.length > 0 ? MimallocAllocationManager.FACTORY : null;
        try (RootAllocator root = factory == null ? new RootAllocator()
                : new RootAllocator(RootAllocator.configBuilder().allocationManagerFactory(factory).build());
                ArrowBuf buffer = root.buffer(1000);
                ArrowBuf empty = root.buffer(0)) {
            buffer.setLong(0, empty.capacity());
            BufferLedger ledger = (BufferLedger) buffer.getReferenceManager();
            System.out.println("manager: " + ledger.getAllocationManager().getClass().getName()
                    + (MimallocAllocationManager.class.getModule().isNamed() ? " in a module" : ""));
        }
    }
}
