package dev.mimalloc.tests;

import org.junit.jupiter.api.Nested;

/** The behaviour that all machines share, topic by topic; each machine has a subclass. */
abstract class AllocatorContract {
    private final Allocator machine;

    AllocatorContract(Allocator machine) { this.machine = machine; }

    @Nested
    class Malloc extends MallocContract { Malloc() { super(machine); } }
    @Nested
    class Zero extends ZeroContract { Zero() { super(machine); } }
    @Nested
    class Realloc extends ReallocContract { Realloc() { super(machine); } }
    @Nested
    class LargeBlock extends LargeBlockContract { LargeBlock() { super(machine); } }
    @Nested
    class Aligned extends AlignedContract { Aligned() { super(machine); } }
    @Nested
    class InvalidPointer extends InvalidPointerContract { InvalidPointer() { super(machine); } }
    @Nested
    class Heap extends HeapContract { Heap() { super(machine); } }
    @Nested
    class Options extends OptionContract { Options() { super(machine); } }
    @Nested
    class Callbacks extends CallbackContract { Callbacks() { super(machine); } }
    @Nested
    class Reentrance extends ReentranceContract { Reentrance() { super(machine); } }
    @Nested
    class Statistics extends StatisticsContract { Statistics() { super(machine); } }
    @Nested
    class Concurrency extends ConcurrencyContract { Concurrency() { super(machine); } }
    @Nested
    class EmptiedPages extends EmptiedPagesContract { EmptiedPages() { super(machine); } }
    @Nested
    class Environment extends EnvironmentContract { Environment() { super(machine); } }
    @Nested
    class Quarantine extends QuarantineContract { Quarantine() { super(machine); } }
    @Nested
    class WholeProcess extends ProcessContract { WholeProcess() { super(machine); } }
}
