package org.apache.arrow.memory.unsafe;

import dev.mimalloc.arrow.MimallocAllocationManager;
import org.apache.arrow.memory.AllocationManager;

/**
 * Lets Arrow find {@link MimallocAllocationManager} by itself: the name of this class, and that of its field, are what
 * Arrow looks for. See {@link dev.mimalloc.arrow}.
 */
public final class DefaultAllocationManagerFactory {
    /** The factory that is the default. */
    public static final AllocationManager.Factory FACTORY = MimallocAllocationManager.FACTORY;

    private DefaultAllocationManagerFactory() {}
}
