package dev.mimalloc.machine;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.Label;
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
 * This holds for methods that make a call and that are not inlined: so it calls itself once, and is too long to be
 * inlined.
 */
final class StackProbe {
    // With 32 KiB, C2 gives the method up, and a probe takes 40 ns in place of 6.
    private static final MethodHandle PROBE = probe(24 << 10);
    private static final MethodHandle SMALL = probe(8 << 10);

    private StackProbe() {}

    /** Throws {@code StackOverflowError} when less than 24 KiB are left. */
    static void run() {
        try {
            PROBE.invokeExact(true);
        } catch (Throwable t) {
            throw t instanceof Error e ? e : new AssertionError(t);
        }
    }

    /** The same for 8 KiB: it does not fail where the other one has just passed. */
    static void runSmall() {
        try {
            SMALL.invokeExact(true);
        } catch (Throwable t) {
            throw t instanceof Error e ? e : new AssertionError(t);
        }
    }

    private static MethodHandle probe(int bytes) {
        ClassDesc self = ClassDesc.of(StackProbe.class.getName() + "$Deep");
        MethodTypeDesc type = MethodTypeDesc.of(CD_void, CD_boolean);
        byte[] deep = ClassFile.of().build(self, c -> c.withMethodBody("probe", type, ClassFile.ACC_STATIC, code -> {
            Label end = code.newLabel();
            for (int local = 1; local < bytes / 8; local += 16) code.iconst_0().istore(local);
            code.iload(0).ifeq(end).iconst_0().invokestatic(self, "probe", type).labelBinding(end).return_();
        }));
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup().defineHiddenClass(deep, true);
            return lookup.findStatic(lookup.lookupClass(), "probe", MethodType.methodType(void.class, boolean.class));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no stack probe", e);
        }
    }
}
