package dev.mimalloc.arrow;

import static dev.mimalloc.arrow.Ours.assertEmpty;
import static dev.mimalloc.arrow.Ours.assertOurs;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.util.TransferPair;
import org.junit.jupiter.api.Test;

/** Vectors of many kinds, whose buffers are found to be ours. */
class VectorTest {
    private static final int ROWS = 3_000;

    @Test
    void vectorsOfManyKindsGrowAndKeepTheirContents() {
        try (RootAllocator root = Ours.root(); VectorSchemaRoot table = Tables.create(root, ROWS)) {
            assertOurs(table);
            Tables.assertFilled(table, 0, ROWS);
            table.clear();
            assertEmpty(root);
            Tables.fill(table, ROWS / 2);
            Tables.assertFilled(table, 0, ROWS / 2);
        }
    }

    @Test
    void aDefaultRootAllocatorIsOurs() {
        try (RootAllocator root = new RootAllocator(); VectorSchemaRoot table = Tables.create(root, 10)) {
            assertOurs(table);
        }
    }

    @Test
    void tablesMoveBetweenAllocators() {
        try (RootAllocator root = Ours.root();
                BufferAllocator giver = root.newChildAllocator("giver", 0, Long.MAX_VALUE);
                BufferAllocator taker = root.newChildAllocator("taker", 0, Long.MAX_VALUE);
                VectorSchemaRoot table = Tables.create(giver, ROWS)) {
            List<FieldVector> moved = new ArrayList<>();
            for (FieldVector vector : table.getFieldVectors()) {
                TransferPair pair = vector.getTransferPair(taker);
                pair.transfer();
                moved.add((FieldVector) pair.getTo());
            }
            assertEmpty(giver);
            try (VectorSchemaRoot result = new VectorSchemaRoot(moved)) {
                assertOurs(result);
                Tables.assertFilled(result, 0, ROWS);
            }
            assertEmpty(taker);
        }
    }

    @Test
    void slicesOutliveTheTable() {
        try (RootAllocator root = Ours.root()) {
            VectorSchemaRoot slice;
            try (VectorSchemaRoot table = Tables.create(root, ROWS)) {
                slice = table.slice(1003, 500); // not at a multiple of 8: bits are copied, the rest is shared
            }
            try (slice) {
                assertOurs(slice);
                Tables.assertFilled(slice, 1003, 500);
            }
            assertEmpty(root);
        }
    }

    @Test
    void aVectorThatMayNotGrowStaysAsItWas() {
        try (RootAllocator root = Ours.root(1 << 16); BigIntVector vector = new BigIntVector("longs", root)) {
            vector.allocateNew(1000);
            for (int i = 0; i < 1000; i++) vector.set(i, i);
            long allocated = root.getAllocatedMemory();
            assertThatThrownBy(() -> {
                for (int i = 1000; i < 100_000; i++) vector.setSafe(i, i);
            }).isInstanceOf(OutOfMemoryException.class);
            assertThat(root.getAllocatedMemory()).isBetween(allocated, 1L << 16);
            for (int i = 0; i < 1000; i++) assertThat(vector.get(i)).isEqualTo(i);
        }
    }

    @Test
    void aTableThatDoesNotFitLeavesNothing() {
        try (RootAllocator root = Ours.root(1 << 16)) {
            try (VectorSchemaRoot table = VectorSchemaRoot.create(Tables.SCHEMA, root)) {
                assertThatThrownBy(() -> Tables.fill(table, 100_000)).isInstanceOf(OutOfMemoryException.class);
            }
            assertEmpty(root);
        }
    }

    @Test
    void aVectorThatIsForgottenIsReported() {
        RootAllocator root = Ours.root();
        try (IntVector closed = new IntVector("closed", root)) {
            closed.allocateNew(10);
        }
        @SuppressWarnings({"resource", "MustBeClosedChecker"}) // this is the leak
        VarCharVector forgotten = new VarCharVector("forgotten", root);
        forgotten.allocateNew(100, 10);
        assertThat(forgotten.getValueCapacity()).isPositive();
        assertThatIllegalStateException().isThrownBy(root::close).withMessageContaining(Ours.LEAK);
    }
}
