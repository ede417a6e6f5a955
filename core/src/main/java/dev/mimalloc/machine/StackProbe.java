package dev.mimalloc.machine;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.invoke.MethodHandles;

/**
 * Looks whether the stack has room, in a few nanoseconds.
 *
 * <p>It calls a method with thousands of local variables, made as bytecode, since nobody wants to see that in Java. In
 * the interpreter its frame takes the room. Compiled, the variables are gone; but the check at the entry of a compiled
 * method makes sure that the interpreter's frame would fit, too, as the method may have to go on there. This holds for
 * methods that make a call and that are not inlined: so it calls another, and both are too long to be inlined. Compiled
 * or not, it asks for the same: where a larger probe has passed, a smaller one does.
 *
 * <p>The class file is put together by hand. The JDK's library for that, and method handles to call what comes out,
 * would take a good part of the time of a first malloc.
 */
final class StackProbe {
    // With 32 KiB, C2 gives the method up, and a probe takes 40 ns in place of 6.
    private static final int AROUND = 28 << 10, RUN = 20 << 10, AGAIN = 8 << 10;

    private static final Deep DEEP = deep();

    private StackProbe() {}

    /** Its methods have large frames, and do nothing else. */
    abstract static class Deep {
        abstract void around();
        abstract void run();
        abstract void again();
    }

    /** So that they are linked: all of the JVM's work for a first call is done. */
    static void warmUp() {
        around();
        run();
        again();
    }

    /** Throws {@code StackOverflowError} when less than 28 KiB are left. */
    static void around() { DEEP.around(); }

    /** Throws {@code StackOverflowError} when less than 20 KiB are left. */
    static void run() { DEEP.run(); }

    /** Throws {@code StackOverflowError} when less than 8 KiB are left. */
    static void again() { DEEP.again(); }

    private static Deep deep() {
        try {
            return (Deep) MethodHandles.lookup().defineHiddenClass(DeepClass.bytes(), true).lookupClass()
                    .getDeclaredConstructor().newInstance();
        } catch (IOException | ReflectiveOperationException e) {
            throw new LinkageError("no stack probe", e);
        }
    }

    /** The class file of a subclass of {@link Deep}. */
    private static final class DeepClass {
        private static final int TOO_LONG = 1000; // bytes of bytecode, for a JIT to inline
        private static final int CLASS_FILE = 0xCAFEBABE, JAVA_8 = 52; // a version without any frames to describe
        private static final int UTF8 = 1, CLASS = 7, METHOD = 10, NAME_AND_TYPE = 12; // of constants
        private static final int ALOAD_0 = 42, RETURN = 177, INVOKESPECIAL = 183, INVOKESTATIC = 184;
        private static final int SUPER = 0x20, STATIC = 8;
        /** The numbers of constants, which begin with 1. */
        private static final int THIS = 2, PARENT = 4, CODE = 5, INIT = 6, VOID = 7, INIT_OF_PARENT = 9, END = 10;
        private static final int END_OF_THIS = 12, NAMES = 13;

        private DeepClass() {}

        static byte[] bytes() throws IOException {
            var bytes = new ByteArrayOutputStream(8 << 10);
            var out = new DataOutputStream(bytes);
            String self = StackProbe.class.getName().replace('.', '/');
            out.writeInt(CLASS_FILE);
            out.writeInt(JAVA_8);
            out.writeShort(NAMES + 3); // one more than there are constants
            utf8(out, self + "$Deeper"); // 1
            pair(out, CLASS, 1, 0);
            utf8(out, self + "$Deep"); // 3
            pair(out, CLASS, 3, 0);
            utf8(out, "Code");
            utf8(out, "<init>");
            utf8(out, "()V");
            pair(out, NAME_AND_TYPE, INIT, VOID); // 8
            pair(out, METHOD, PARENT, 8);
            utf8(out, "end");
            pair(out, NAME_AND_TYPE, END, VOID); // 11
            pair(out, METHOD, THIS, 11);
            for (String name : new String[] {"around", "run", "again"}) utf8(out, name);
            out.writeShort(SUPER);
            out.writeShort(THIS);
            out.writeShort(PARENT);
            out.writeShort(0); // interfaces
            out.writeShort(0); // fields
            out.writeShort(5);
            method(out, 0, INIT, 1, new byte[] {ALOAD_0, (byte) INVOKESPECIAL, 0, INIT_OF_PARENT, (byte) RETURN});
            method(out, STATIC, END, 0, code(RETURN));
            byte[] probe = code(INVOKESTATIC, 0, END_OF_THIS, RETURN);
            method(out, 0, NAMES, AROUND / 8, probe);
            method(out, 0, NAMES + 1, RUN / 8, probe);
            method(out, 0, NAMES + 2, AGAIN / 8, probe);
            out.writeShort(0); // attributes
            return bytes.toByteArray();
        }

        /** Instructions that do nothing, and behind them some that do. */
        private static byte[] code(int... last) {
            byte[] code = new byte[TOO_LONG + last.length]; // of zeros, which are the former
            for (int i = 0; i < last.length; i++) code[TOO_LONG + i] = (byte) last[i];
            return code;
        }

        private static void method(DataOutputStream out, int flags, int name, int locals, byte[] code)
                throws IOException {
            out.writeShort(flags);
            out.writeShort(name);
            out.writeShort(VOID);
            out.writeShort(1); // attributes: the code
            out.writeShort(CODE);
            out.writeInt(12 + code.length);
            out.writeShort(1); // most on the operand stack
            out.writeShort(locals);
            out.writeInt(code.length);
            out.write(code);
            out.writeShort(0); // handlers
            out.writeShort(0); // attributes
        }

        private static void utf8(DataOutputStream out, String text) throws IOException {
            out.write(UTF8);
            out.writeUTF(text);
        }

        private static void pair(DataOutputStream out, int kind, int first, int second) throws IOException {
            out.write(kind);
            out.writeShort(first);
            if (kind != CLASS) out.writeShort(second);
        }
    }
}
