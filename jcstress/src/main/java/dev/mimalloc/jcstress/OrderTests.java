package dev.mimalloc.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.mimalloc.core.Inside;
import dev.mimalloc.core.base.Bitmap;
import dev.mimalloc.core.base.Lock;
import dev.mimalloc.core.base.Table;
import dev.mimalloc.core.model.ThreadData;
import dev.mimalloc.machine.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZJ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** What one thread has written is seen by the one that it hands something to. Folder tests/litmus has these protocols in C11. */
public final class OrderTests {
    private OrderTests() {}

    /** The scavenger finds a page emptied: then it sees all that the owner's last free has done to it. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Too early.")
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "The page, whole.")
    @Outcome(expect = FORBIDDEN, desc = "A store of the owner's is still to come.")
    @State
    public static class EmptiedPage extends Space {
        private final long page = address();
        private final long first = page + Inside.PAGE_SPACE;
        private final long second = first + 64;

        public EmptiedPage() {
            super(2 * Inside.PAGE_SPACE);
            Inside.makePage(page, 2, true);
            Inside.push(page, second); // by another thread, before
        }

        @Actor
        public void owner() { Inside.putBack(page, first); }
        @Actor
        public void scavenger(ZJ_Result r) {
            r.r1 = Inside.isEmptied(page);
            r.r2 = r.r1 && Inside.localFree(page) == first ? 1 : 0;
        }
    }

    @JCStressTest
    @Outcome(id = {"false, 0", "true, 1"}, expect = ACCEPTABLE, desc = "Held, or handed over with what it guards.")
    @Outcome(expect = FORBIDDEN, desc = "What it guards comes later.")
    @State
    public static class LockHandsOver extends Space {
        private final long lock = address();

        public LockHandsOver() {
            super(128);
            Lock.acquire(lock);
        }

        @Actor
        public void holder() {
            Memory.putLong(lock + 64, 1);
            Lock.release(lock);
        }

        @Actor
        public void next(ZJ_Result r) {
            r.r1 = Lock.tryAcquire(lock);
            r.r2 = r.r1 ? Memory.getLong(lock + 64) : 0;
        }
    }

    @JCStressTest
    @Outcome(id = {"false, 0", "true, 1"}, expect = ACCEPTABLE, desc = "Leased, or handed over with the data.")
    @Outcome(expect = FORBIDDEN, desc = "The data come later.")
    @State
    public static class LeaseHandsOver extends Space {
        private final long data = address();

        public LeaseHandsOver() {
            super(4096);
            ThreadData.setShared(data);
            ThreadData.tryLease(data);
        }

        @Actor
        public void holder() {
            ThreadData.setCallOuts(data, 1);
            ThreadData.endLease(data);
        }

        @Actor
        public void next(ZJ_Result r) {
            r.r1 = ThreadData.tryLease(data);
            r.r2 = r.r1 ? ThreadData.callOuts(data) : 0;
        }
    }

    /** An entry of a table, in a segment that is made for it, leads to something complete. */
    @JCStressTest
    @Outcome(id = {"false, 0", "true, 1"}, expect = ACCEPTABLE, desc = "Not there, or complete.")
    @Outcome(expect = FORBIDDEN, desc = "Half-way.")
    @State
    public static class EntryOfATable extends Space {
        private final long table = address();
        private final long member = table + Table.SIZE + 64;

        public EntryOfATable() { super(Table.SIZE + 128); }

        @Actor
        public void writer() {
            Memory.putLong(member, 1);
            Table.set(table, 3, member);
        }

        @Actor
        public void reader(ZJ_Result r) {
            long found = Table.get(table, 3);
            r.r1 = found != 0;
            r.r2 = r.r1 ? Memory.getLong(found) : 0;
        }

        @Arbiter
        public void release(ZJ_Result r) { Table.release(table); }
    }

    /** Slices wait for the purge: it sees them, or who has said so finds that no time is set. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Nobody will come for the slices.")
    @Outcome(expect = ACCEPTABLE, desc = "Somebody will.")
    @State
    public static class PurgeOrTime extends Space {
        private final long expire = address();
        private final long bitmap = expire + 64;

        public PurgeOrTime() {
            super(64 + Bitmap.size(512));
            Bitmap.init(bitmap, 512);
            Memory.putLong(expire, 1);
        }

        @Actor
        public void free(ZZ_Result r) {
            Bitmap.set(bitmap, 9);
            r.r1 = Memory.getVolatile(expire) == 0;
        }

        @Actor
        public void purge(ZZ_Result r) {
            Memory.exchange(expire, 0);
            r.r2 = Bitmap.nextSet(bitmap, 0, 512) == 9;
        }
    }

    /** A function of the user's, as the root of core has it, is changed while it is called. */
    @JCStressTest
    @Outcome(id = {"false, 0", "true, 1"}, expect = ACCEPTABLE, desc = "None, or one with its own argument.")
    @Outcome(expect = FORBIDDEN, desc = "One with the other's argument.")
    @State
    public static class FunctionAndArgument extends Space {
        private final long function = address();
        private final long argument = function + 8;

        public FunctionAndArgument() {
            super(64);
            Memory.putLong(function, 11);
            Memory.putLong(argument, 1);
        }

        @Actor
        public void register() {
            Memory.putRelease(function, 0);
            Memory.putRelease(argument, 2);
            Memory.putRelease(function, 12);
        }

        @Actor
        public void call(ZJ_Result r) {
            long called = Memory.getAcquire(function), with = Memory.getAcquire(argument);
            r.r1 = called != 0 && called == Memory.getAcquire(function);
            r.r2 = !r.r1 ? 0 : called - 10 == with ? 1 : 2;
        }
    }
}
