package dev.mimalloc.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.mimalloc.core.base.Bitmap;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The arenas' bitmaps: each bit is claimed by one, none is lost, and the map of the chunks hides none. */
public final class BitmapTests {
    private static final int BITS = 2048;

    private BitmapTests() {}

    static class Bits extends Space {
        final long bitmap = address();

        Bits() {
            super(Bitmap.size(BITS));
            Bitmap.init(bitmap, BITS);
        }

        final int count() { return (int) Bitmap.countSet(bitmap, 0, BITS); }

        /** How many bits a search finds, which believes the map. */
        final int found() {
            int found = 0;
            for (long bit = 0; (bit = Bitmap.nextSet(bitmap, bit, BITS)) >= 0; bit++) found++;
            return found;
        }
    }

    @JCStressTest
    @Outcome(id = {"true, false", "false, true"}, expect = ACCEPTABLE, desc = "One of them has it.")
    @Outcome(expect = FORBIDDEN, desc = "Both or none.")
    @State
    public static class TwoClaimABit extends Bits {
        public TwoClaimABit() { Bitmap.set(bitmap, 700); }

        @Actor
        public void one(ZZ_Result r) { r.r1 = Bitmap.clear(bitmap, 700); }
        @Actor
        public void other(ZZ_Result r) { r.r2 = Bitmap.clear(bitmap, 700); }
    }

    @JCStressTest
    @Outcome(id = {"true, false", "false, true"}, expect = ACCEPTABLE, desc = "One of them set it.")
    @Outcome(expect = FORBIDDEN, desc = "Both or none.")
    @State
    public static class TwoSetABit extends Bits {
        @Actor
        public void one(ZZ_Result r) { r.r1 = Bitmap.set(bitmap, 1999); }
        @Actor
        public void other(ZZ_Result r) { r.r2 = Bitmap.set(bitmap, 1999); }
    }

    /** The chunk empties while another bit of it is set: the map must not say that it is empty. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "The bit is there, and is found.")
    @Outcome(expect = FORBIDDEN, desc = "The bit is lost.")
    @State
    public static class ClearTheLastWhileAnotherIsSet extends Bits {
        public ClearTheLastWhileAnotherIsSet() { Bitmap.set(bitmap, 512); }

        @Actor
        public void clear() { Bitmap.clear(bitmap, 512); }
        @Actor
        public void set() { Bitmap.set(bitmap, 1023); }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = count();
            r.r2 = found();
        }
    }

    /** The same with the bit in the same word, and two to clear. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "The bit is there, and is found.")
    @Outcome(expect = FORBIDDEN, desc = "The bit is lost.")
    @State
    public static class ClearTwoWhileAnotherIsSet extends Bits {
        public ClearTwoWhileAnotherIsSet() { Bitmap.set(bitmap, 64, 2); }

        @Actor
        public void clear() {
            Bitmap.clear(bitmap, 64);
            Bitmap.clear(bitmap, 65);
        }

        @Actor
        public void set() { Bitmap.set(bitmap, 66); }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = count();
            r.r2 = found();
        }
    }

    /** Claimed runs that overlap: one at most, and what is not claimed is still there. */
    @JCStressTest
    @Outcome(id = {"true, false, 2", "false, true, 2"}, expect = ACCEPTABLE, desc = "One has six, two are left.")
    @Outcome(expect = FORBIDDEN, desc = "Shared or lost bits.")
    @State
    public static class RunsThatOverlap extends Bits {
        public RunsThatOverlap() { Bitmap.set(bitmap, 60, 8); }

        @Actor
        public void low(ZZI_Result r) { r.r1 = Bitmap.tryClaim(bitmap, 60, 6); }
        @Actor
        public void high(ZZI_Result r) { r.r2 = Bitmap.tryClaim(bitmap, 62, 6); }
        @Arbiter
        public void look(ZZI_Result r) { r.r3 = found(); }
    }

    /** A run over two words that fails in the second puts back what it had of the first. */
    @JCStressTest
    @Outcome(id = "true, false, 0", expect = ACCEPTABLE, desc = "The run was first.")
    @Outcome(id = "false, true, 99", expect = ACCEPTABLE, desc = "The bit was first; the others are all back.")
    @Outcome(expect = FORBIDDEN, desc = "Shared or lost bits.")
    @State
    public static class ARunAndABitOfIt extends Bits {
        public ARunAndABitOfIt() { Bitmap.set(bitmap, 450, 100); }

        @Actor
        public void run(ZZI_Result r) { r.r1 = Bitmap.tryClaim(bitmap, 450, 100); }
        @Actor
        public void bit(ZZI_Result r) { r.r2 = Bitmap.clear(bitmap, 540); }
        @Arbiter
        public void look(ZZI_Result r) { r.r3 = found(); }
    }

    /** Searches for a run by two, with room for both. */
    @JCStressTest
    @Outcome(id = {"64, 69, 0", "69, 64, 0"}, expect = ACCEPTABLE, desc = "Both have their own.")
    @Outcome(expect = FORBIDDEN, desc = "Shared or lost bits.")
    @State
    public static class TwoSearchForARun extends Bits {
        public TwoSearchForARun() { Bitmap.set(bitmap, 64, 10); }

        @Actor
        public void one(III_Result r) { r.r1 = (int) Bitmap.claimRun(bitmap, 0, BITS, 5, 1); }
        @Actor
        public void other(III_Result r) { r.r2 = (int) Bitmap.claimRun(bitmap, 0, BITS, 5, 1); }
        @Arbiter
        public void look(III_Result r) { r.r3 = count(); }
    }

    /** A run over a chunk's end is freed while one is searched for. */
    @JCStressTest
    @Outcome(id = "-1, 8, 8", expect = ACCEPTABLE, desc = "Too early: the run is there, and is found.")
    @Outcome(id = "508, 0, 0", expect = ACCEPTABLE, desc = "Found.")
    @Outcome(expect = FORBIDDEN, desc = "Shared or lost bits.")
    @State
    public static class ARunIsFreedWhileOneIsSearched extends Bits {
        @Actor
        public void free() { Bitmap.set(bitmap, 508, 8); }
        @Actor
        public void search(III_Result r) { r.r1 = (int) Bitmap.claimRun(bitmap, 0, BITS, 8, 1); }

        @Arbiter
        public void look(III_Result r) {
            r.r2 = count();
            r.r3 = found();
        }
    }
}
