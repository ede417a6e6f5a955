package dev.mimalloc.core.base;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.machine.Check;

/**
 * A doubly linked list through its members. The head is a word with the first member's address; each member has two
 * words, the address of the next and of the previous one, at an offset that is the same in all of them. A list is
 * changed under its lock. The head is written with release, as some heads are read without the lock: what a reader
 * finds there is complete.
 */
public final class Links {
    private static final long NEXT = 0;
    private static final long PREV = NEXT + WORD;

    private Links() {}

    /** Puts a member before the first one. */
    public static void push(long head, long member, long links) {
        long first = getLong(head);
        if (Check.isOn()) Check.that(first == 0 || first != member && getLong(first + links + PREV) == 0);
        set(member, links, first, 0);
        if (first != 0) putLong(first + links + PREV, member);
        putRelease(head, member);
    }

    /** Takes a member out, which then refers to no other. */
    public static void remove(long head, long member, long links) {
        long next = getLong(member + links + NEXT);
        long prev = getLong(member + links + PREV);
        if (Check.isOn()) Check.that((prev == 0 ? getLong(head) : getLong(prev + links + NEXT)) == member);
        if (Check.isOn()) Check.that(next == 0 || getLong(next + links + PREV) == member);
        if (prev != 0) putLong(prev + links + NEXT, next);
        else putRelease(head, next);
        if (next != 0) putLong(next + links + PREV, prev);
        set(member, links, 0, 0);
    }

    private static void set(long member, long links, long next, long prev) {
        putLong(member + links + NEXT, next);
        putLong(member + links + PREV, prev);
    }
}
