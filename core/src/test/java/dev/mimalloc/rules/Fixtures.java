package dev.mimalloc.rules;

import dev.mimalloc.machine.Memory;
import dev.mimalloc.machine.Text;
import java.util.function.LongSupplier;

/** Classes that break one rule of system Java each, and some that do not. */
@SuppressWarnings("all")
final class Fixtures {
    private Fixtures() {}

    static final class Fine {
        private static final long SIZE = 64;

        private Fine() {}

        static boolean isSmall(long size) { return Long.compareUnsigned(size, SIZE) < 0; }

        static long message(int code) { return code == 0 ? 0 : Text.literal("no memory"); }

        static void clear(long address) {
            for (int i = 0; i < 8; i++) Memory.putByte(address + i, (byte) 0);
        }
    }

    static final class MakesAnObject {
        private MakesAnObject() {}

        static void f() { new StringBuilder(); }
    }

    static final class MakesAnArray {
        private MakesAnArray() {}

        static void f() { int[] a = new int[3]; }
    }

    static final class UsesAnArray {
        private UsesAnArray() {}

        static int f(int[] a) { return a[0]; }
    }

    static final class HasText {
        private HasText() {}

        static void f() { String s = "text"; }
    }

    static final class ComputesText {
        private ComputesText() {}

        static void f(long x) { String.valueOf(x); }
    }

    static final class Throws {
        private Throws() {}

        static void f() { throw null; }
    }

    static final class Catches {
        private Catches() {}

        static long f(long a, long b) {
            try {
                return a / b;
            } catch (ArithmeticException e) {
                return 0;
            }
        }
    }

    static final class HasALambda {
        private HasALambda() {}

        static void f(long x) { LongSupplier s = () -> x; }
    }

    static final class Boxes {
        private Boxes() {}

        static void f(long x) { Long y = x; }
    }

    static final class HasState {
        private static long state;

        private HasState() {}
    }

    static final class InitialisesItself {
        private static final long NOW = System.nanoTime();

        private InitialisesItself() {}
    }

    static final class HasInstances {
        private HasInstances() {}

        long f() { return 1; }
    }

    static final class CallsTheLibrary {
        private CallsTheLibrary() {}

        static long f(long a) { return Math.max(a, 1); }
    }

    static final class CallsAllOfLong {
        private CallsAllOfLong() {}

        static int f(long a) { return Long.bitCount(a); }
    }

    static final class Synchronizes {
        private Synchronizes() {}

        static synchronized long f() { return 1; }
    }

    static final class UsesDoubles {
        private UsesDoubles() {}

        static long f(long a) { return (long) (a * 1.5); }
    }

    static final class UsesBytes {
        private UsesBytes() {}

        static byte f(byte a) { return a; }
    }

    static final class ComparesReferences {
        private ComparesReferences() {}

        static boolean f(Object a) { return a == null; }
    }

    static class IsOpen {
        private IsOpen() {}
    }

    static final class CircleA {
        private CircleA() {}

        static long f(long x) { return CircleB.f(x); }
    }

    static final class CircleB {
        private CircleB() {}

        static long f(long x) { return x == 0 ? 0 : CircleA.f(x - 1); }
    }

    static final class StairUp {
        private StairUp() {}

        static long f(long x) { return StairDown.f(x) + 1; }
    }

    static final class StairDown {
        private StairDown() {}

        static long f(long x) { return x; }
    }
}
