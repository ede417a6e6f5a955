package dev.mimalloc.machine;

import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Looks whether the stack has room, in a few nanoseconds.
 *
 * <p>It calls a method with thousands of local variables, written as bytecode, since nobody wants to see that in
 * Java. In the interpreter its frame takes the room. Compiled, the variables are gone; but the check at the entry of
 * a compiled method makes sure that the interpreter's frame would fit, too, as the method may have to go on there.
 * This holds for methods that make a call and that are not inlined: so it calls another, and both are too long to be
 * inlined. Compiled or not, it asks for the same: where a larger probe has passed, a smaller one does.
 */
final class StackProbe {
    private static final int TOO_LONG = 1000; // bytes of bytecode, for a JIT to inline
    // With 32 KiB, C2 gives the method up, and a probe takes 40 ns in place of 6.
    private static final MethodHandle AROUND = probe(28 << 10);
    private static final MethodHandle PROBE = probe(20 << 10);
    private static final MethodHandle AGAIN = probe(8 << 10);

    private StackProbe() {}

    /** So often that the JVM has done all it does for a method handle, and makes no objects any more. */
    static void warmUp() {
        for (int i = 0; i < 200; i++) {
            around();
            run();
            again();
        }
    }

    /** Throws {@code StackOverflowError} when less than 28 KiB are left. */
    static void around() {
        try {
            AROUND.invokeExact();
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    /** Throws {@code StackOverflowError} when less than 20 KiB are left. */
    static void run() {
        try {
            PROBE.invokeExact();
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    /** Throws {@code StackOverflowError} when less than 8 KiB are left. */
    static void again() {
        try {
            AGAIN.invokeExact();
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    private static Error thrown(Throwable t) { return t instanceof Error e ? e : new AssertionError(t); }

    private static MethodHandle probe(int bytes) {
        ClassDesc self = ClassDesc.of(StackProbe.class.getName() + "$Deep");
        MethodTypeDesc type = MethodTypeDesc.of(CD_void);
        byte[] deep = ClassFile.of().build(self, c -> c.withMethodBody("probe", type, ClassFile.ACC_STATIC, code -> {
            for (int local = 0; local < bytes / 8; local += 16) code.iconst_0().istore(local);
            code.invokestatic(self, "end", type).return_();
        }).withMethodBody("end", type, ClassFile.ACC_STATIC, code -> {
            for (int i = 0; i < TOO_LONG; i++) code.nop();
            code.return_();
        }));
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup().defineHiddenClass(deep, true);
            return lookup.findStatic(lookup.lookupClass(), "probe", MethodType.methodType(void.class));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no stack probe", e);
        }
    }
}
