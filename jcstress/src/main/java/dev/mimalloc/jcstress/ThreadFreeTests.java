package dev.mimalloc.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.mimalloc.core.Inside;
import dev.mimalloc.core.base.Bitmap;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.ZZI_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/** The page's thread-free word: the list with its count, and the owned bit. */
public final class ThreadFreeTests {
    private ThreadFreeTests() {}

    static class APage extends Space {
        final long page = address();
        final long first = page + Inside.PAGE_SPACE;
        final long second = first + 64;
        final long third = second + 64;

        APage(int used, boolean owned) {
            super(2 * Inside.PAGE_SPACE);
            Inside.makePage(page, used, owned);
        }
    }

    /** Another thread frees and the owner takes the list: each block is taken once, and the counts agree with it. */
    @JCStressTest
    @Outcome(id = "3, 3, 0", expect = ACCEPTABLE, desc = "Three blocks, counted and listed; no ownership given.")
    @Outcome(expect = FORBIDDEN, desc = "A block or a count is lost.")
    @State
    public static class FreesWhileTheOwnerTakes extends APage {
        private long taken;
        private int owners;

        public FreesWhileTheOwnerTakes() { super(3, true); }

        @Actor
        public void free() {
            if (!Inside.isOwned(Inside.push(page, first))) owners++;
            if (!Inside.isOwned(Inside.push(page, second))) owners++;
            if (!Inside.isOwned(Inside.push(page, third))) owners++;
        }

        @Actor
        public void owner() { taken = Inside.take(page); }

        @Arbiter
        public void look(III_Result r) {
            long rest = Inside.threadFree(page);
            r.r1 = Inside.count(taken) + Inside.count(rest);
            r.r2 = Inside.length(page, taken) + Inside.length(page, rest);
            r.r3 = owners + (Inside.isOwned(rest) ? 0 : 1);
        }
    }

    /** Of those who free in a page that nobody owns, one becomes its owner. */
    @JCStressTest
    @Outcome(id = {"true, false, 2", "false, true, 2"}, expect = ACCEPTABLE, desc = "One owner.")
    @Outcome(expect = FORBIDDEN, desc = "No owner, or two.")
    @State
    public static class FirstFreeOwns extends APage {
        public FirstFreeOwns() { super(3, false); }

        @Actor
        public void one(ZZI_Result r) { r.r1 = !Inside.isOwned(Inside.push(page, first)); }
        @Actor
        public void two(ZZI_Result r) { r.r2 = !Inside.isOwned(Inside.push(page, second)); }
        @Arbiter
        public void look(ZZI_Result r) { r.r3 = Inside.length(page, Inside.threadFree(page)); }
    }

    /** Owners give the page up unless it is empty: of the two that free its last blocks, exactly one finds it empty. */
    @JCStressTest
    @Outcome(id = {"true, false, 2", "false, true, 2"}, expect = ACCEPTABLE, desc = "One of them frees the page.")
    @Outcome(expect = FORBIDDEN, desc = "The page is freed twice, or never.")
    @State
    public static class GiveUpOrFree extends APage {
        public GiveUpOrFree() { super(2, false); }

        private boolean free(long block) {
            if (Inside.isOwned(Inside.push(page, block))) return false;
            while (true) {
                long word = Inside.threadFree(page);
                if (Inside.count(word) == Inside.used(page)) return true;
                if (Inside.tryGiveUp(page, word)) return false;
            }
        }

        @Actor
        public void one(ZZI_Result r) { r.r1 = free(first); }
        @Actor
        public void two(ZZI_Result r) { r.r2 = free(second); }
        @Arbiter
        public void look(ZZI_Result r) { r.r3 = Inside.length(page, Inside.threadFree(page)); }
    }

    /** An allocator that claims the page by its bit meets a free that would own it, and takes the bit away. */
    @JCStressTest
    @Outcome(id = {"true, false, 0", "false, true, 0"}, expect = ACCEPTABLE, desc = "One owner, and no bit left.")
    @Outcome(expect = FORBIDDEN, desc = "No owner or two, or a bit that leads to a page that is gone.")
    @State
    public static class FreeMeetsClaim extends APage {
        private final Space space = new Space(Bitmap.size(512));
        private final long bitmap = space.address();

        public FreeMeetsClaim() {
            super(2, false);
            Bitmap.init(bitmap, 512);
            Bitmap.set(bitmap, 9);
        }

        @Actor
        public void free(ZZI_Result r) {
            r.r1 = !Inside.isOwned(Inside.push(page, first));
            if (r.r1) Inside.takeBit(bitmap, 9);
        }

        @Actor
        public void claim(ZZI_Result r) { r.r2 = Inside.claim(bitmap, 9, page); }
        @Arbiter
        public void look(ZZI_Result r) { r.r3 = (int) Bitmap.countSet(bitmap, 0, 512); }
    }

    /** An allocator that looks twice and a free: whoever has the page, has it alone. */
    @JCStressTest
    @Outcome(id = "true, false, false", expect = ACCEPTABLE, desc = "The free.")
    @Outcome(id = "false, true, false", expect = ACCEPTABLE, desc = "The first look.")
    @Outcome(id = "false, false, true", expect = ACCEPTABLE, desc = "The second look.")
    @Outcome(expect = FORBIDDEN, desc = "No owner, or several.")
    @State
    public static class FreeMeetsTwoClaims extends APage {
        private final Space space = new Space(Bitmap.size(512));
        private final long bitmap = space.address();

        public FreeMeetsTwoClaims() {
            super(2, false);
            Bitmap.init(bitmap, 512);
            Bitmap.set(bitmap, 9);
        }

        @Actor
        public void free(ZZZ_Result r) {
            r.r1 = !Inside.isOwned(Inside.push(page, first));
            if (r.r1) Inside.takeBit(bitmap, 9);
        }

        @Actor
        public void claim(ZZZ_Result r) {
            r.r2 = Inside.claim(bitmap, 9, page);
            r.r3 = Inside.claim(bitmap, 9, page);
        }
    }

    /** Two threads free in a page that nobody owns, and give it up again each time. */
    @JCStressTest
    @Outcome(id = "3, 3, 1", expect = ACCEPTABLE, desc = "All blocks there; the last free found the page empty.")
    @Outcome(expect = FORBIDDEN, desc = "A block is lost, or the page is freed twice or never.")
    @State
    public static class ManyGiveUps extends APage {
        private final AtomicInteger emptied = new AtomicInteger();

        public ManyGiveUps() { super(3, false); }

        private void free(long block) {
            if (Inside.isOwned(Inside.push(page, block))) return;
            while (true) {
                long word = Inside.threadFree(page);
                if (Inside.count(word) == Inside.used(page)) {
                    emptied.incrementAndGet();
                    return;
                }
                if (Inside.tryGiveUp(page, word)) return;
            }
        }

        @Actor
        public void one() {
            free(first);
            free(second);
        }

        @Actor
        public void other() { free(third); }

        @Arbiter
        public void look(III_Result r) {
            r.r1 = Inside.count(Inside.threadFree(page));
            r.r2 = Inside.length(page, Inside.threadFree(page));
            r.r3 = emptied.get();
        }
    }
}
