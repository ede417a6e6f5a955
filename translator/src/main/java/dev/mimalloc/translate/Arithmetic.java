package dev.mimalloc.translate;

import java.util.List;
import org.teavm.model.Instruction;
import org.teavm.model.MethodReference;
import org.teavm.model.Program;
import org.teavm.model.Variable;
import org.teavm.model.instructions.BinaryInstruction;
import org.teavm.model.instructions.InvocationType;
import org.teavm.model.instructions.InvokeInstruction;
import org.teavm.model.instructions.NegateInstruction;
import org.teavm.model.instructions.NumericOperandType;

/**
 * Java's arithmetic wraps around and masks the distance of a shift; in C both are undefined. So these operations become
 * calls of inline functions, named after the JVM's instructions, and the C needs no flag to mean what the Java means.
 */
final class Arithmetic {
    private Arithmetic() {}

    static native long ladd(long a, long b);
    static native long lsub(long a, long b);
    static native long lmul(long a, long b);
    static native long lneg(long a);
    static native long lshl(long a, int distance);
    static native long lshr(long a, int distance);
    static native long lushr(long a, int distance);
    static native int iadd(int a, int b);
    static native int isub(int a, int b);
    static native int imul(int a, int b);
    static native int ineg(int a);
    static native int ishl(int a, int distance);
    static native int ishr(int a, int distance);
    static native int iushr(int a, int distance);

    static void rewrite(Program program) {
        for (var block : program.getBasicBlocks()) {
            for (Instruction instruction : block) {
                if (instruction instanceof BinaryInstruction binary) rewrite(binary);
                else if (instruction instanceof NegateInstruction negate) {
                    replace(negate, "neg", negate.getOperandType(), negate.getReceiver(), List.of(negate.getOperand()));
                }
            }
        }
    }

    private static void rewrite(BinaryInstruction binary) {
        String name = switch (binary.getOperation()) {
            case ADD -> "add";
            case SUBTRACT -> "sub";
            case MULTIPLY -> "mul";
            case SHIFT_LEFT -> "shl";
            case SHIFT_RIGHT -> "shr";
            case SHIFT_RIGHT_UNSIGNED -> "ushr";
            default -> null;
        };
        if (name == null) return;
        replace(binary, name, binary.getOperandType(), binary.getReceiver(),
                List.of(binary.getFirstOperand(), binary.getSecondOperand()));
    }

    private static void replace(Instruction old, String name, NumericOperandType type, Variable receiver,
            List<Variable> arguments) {
        Class<?> operand = switch (type) {
            case LONG -> long.class;
            case INT -> int.class;
            default -> throw new IllegalArgumentException("no floating point in core");
        };
        var signature = new Class<?>[arguments.size() + 1];
        signature[0] = operand;
        boolean shift = name.contains("sh");
        if (arguments.size() == 2) signature[1] = shift ? int.class : operand;
        signature[arguments.size()] = operand;
        var call = new InvokeInstruction();
        call.setType(InvocationType.SPECIAL);
        String prefix = type == NumericOperandType.LONG ? "l" : "i";
        call.setMethod(new MethodReference(Arithmetic.class, prefix + name, signature));
        call.setArguments(arguments.toArray(Variable[]::new));
        call.setReceiver(receiver);
        call.setLocation(old.getLocation());
        old.replace(call);
    }
}
