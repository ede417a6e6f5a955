package dev.mimalloc.rules;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.FieldModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.classfile.instruction.ArrayLoadInstruction;
import java.lang.classfile.instruction.ArrayStoreInstruction;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.ConvertInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.NewMultiArrayInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewPrimitiveArrayInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.classfile.instruction.ThrowInstruction;
import java.lang.classfile.instruction.TypeCheckInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** System Java: the Java that becomes C unchanged. Finds what in a class file is outside of it. */
final class SystemJava {
    private static final Set<String> TYPES = Set.of("J", "I", "Z", "V");
    private static final Set<String> OF_LONG = Set.of("compareUnsigned", "divideUnsigned", "remainderUnsigned");

    private final String home;
    private final String machine;
    private final List<String> faults = new ArrayList<>();
    private String place;

    private SystemJava(String home, String machine) {
        this.home = home;
        this.machine = machine;
    }

    /** The faults of a class of the package {@code home}, which may also call the package {@code machine}; both with slashes. */
    static List<String> faults(ClassModel cls, String home, String machine) {
        var rules = new SystemJava(home, machine);
        rules.check(cls);
        return rules.faults;
    }

    private void fault(String what) { faults.add(place + ": " + what); }

    private void check(ClassModel cls) {
        place = cls.thisClass().asInternalName().replaceAll(".*/", "");
        if (!cls.flags().has(AccessFlag.FINAL) || cls.flags().has(AccessFlag.ABSTRACT)) fault("is not a final class");
        boolean plain = cls.superclass().filter(c -> c.asInternalName().equals("java/lang/Object")).isPresent();
        if (!plain) fault("extends a class");
        if (!cls.interfaces().isEmpty()) fault("implements an interface");
        String name = place;
        for (FieldModel field : cls.fields()) {
            place = name + "." + field.fieldName();
            if (field.findAttribute(Attributes.constantValue()).isEmpty()) fault("is a field but no constant");
            if (!TYPES.contains(field.fieldType().stringValue())) fault("is not a long, int or boolean");
        }
        for (MethodModel method : cls.methods()) {
            place = name + "." + method.methodName();
            check(method);
        }
    }

    private void check(MethodModel method) {
        boolean constructor = method.methodName().equalsString("<init>");
        if (method.methodName().equalsString("<clinit>")) fault("initialises the class");
        if (!constructor && !method.flags().has(AccessFlag.STATIC)) fault("is not static");
        if (method.flags().has(AccessFlag.SYNCHRONIZED)) fault("is synchronized");
        if (method.code().isEmpty()) fault("has no body");
        checkTypes(method.methodTypeSymbol());
        if (constructor && !method.flags().has(AccessFlag.PRIVATE)) fault("lets others make an object");
        // A private constructor that does nothing is how a class says that there are no objects of it.
        else if (!constructor) method.code().ifPresent(code -> check((CodeAttribute) code));
    }

    private void checkTypes(MethodTypeDesc type) {
        checkType(type.returnType());
        type.parameterList().forEach(this::checkType);
    }

    private void checkType(ClassDesc type) {
        if (!TYPES.contains(type.descriptorString())) fault("uses the type " + type.displayName());
    }

    private void check(CodeAttribute code) {
        if (!code.exceptionHandlers().isEmpty()) fault("catches exceptions");
        List<Instruction> instructions = code.elementStream().filter(Instruction.class::isInstance)
                .map(Instruction.class::cast).toList();
        for (int i = 0; i < instructions.size(); i++) {
            check(instructions.get(i), i + 1 < instructions.size() ? instructions.get(i + 1) : null);
        }
    }

    private void check(Instruction instruction, CodeElement next) {
        switch (instruction) {
            case InvokeInstruction call -> check(call);
            case ConstantInstruction constant when constant.typeKind() == TypeKind.REFERENCE -> {
                boolean text = constant.constantValue() instanceof String && next instanceof InvokeInstruction call
                        && isLiteral(call);
                if (!text) fault("has a constant that is not the argument of Text.literal");
            }
            case ConstantInstruction constant -> checkKind(constant.typeKind());
            case LoadInstruction load -> checkKind(load.typeKind());
            case StoreInstruction store -> checkKind(store.typeKind());
            case ReturnInstruction result -> checkKind(result.typeKind());
            case OperatorInstruction operator when operator.opcode() == Opcode.ARRAYLENGTH -> fault("uses an array");
            case OperatorInstruction operator -> checkKind(operator.typeKind());
            case ConvertInstruction convert -> {
                checkKind(convert.fromType());
                checkKind(convert.toType());
            }
            case FieldInstruction field -> fault("uses the field " + field.name());
            case InvokeDynamicInstruction _ -> fault("has a lambda, a string concatenation or another dynamic call");
            case NewObjectInstruction _ -> fault("makes an object");
            case NewPrimitiveArrayInstruction _ -> fault("makes an array");
            case NewReferenceArrayInstruction _ -> fault("makes an array");
            case NewMultiArrayInstruction _ -> fault("makes an array");
            case ArrayLoadInstruction _ -> fault("uses an array");
            case ArrayStoreInstruction _ -> fault("uses an array");
            case ThrowInstruction _ -> fault("throws");
            case TypeCheckInstruction _ -> fault("asks for an object's class");
            case MonitorInstruction _ -> fault("synchronizes");
            case BranchInstruction branch when branch.opcode().name().contains("ACMP")
                    || branch.opcode().name().contains("NULL") ->
                fault("compares references");
            default -> {}
        }
    }

    private void checkKind(TypeKind kind) {
        switch (kind) {
            case REFERENCE -> fault("handles an object");
            case FLOAT, DOUBLE -> fault("computes with floating point");
            default -> {}
        }
    }

    private void check(InvokeInstruction call) {
        String owner = call.owner().asInternalName(), name = call.name().stringValue();
        if (isLiteral(call)) return;
        if (call.opcode() != Opcode.INVOKESTATIC) fault("calls a method of an object: " + name);
        else if (owner.equals("java/lang/Long") && OF_LONG.contains(name)) return;
        else if (!isIn(owner, home) && !isIn(owner, machine)) fault("calls " + owner.replace('/', '.') + "." + name);
        else checkTypes(call.typeSymbol());
    }

    private boolean isLiteral(InvokeInstruction call) {
        return call.owner().asInternalName().equals(machine + "/Text") && call.name().equalsString("literal");
    }

    /** In a package, or in one inside it. */
    private static boolean isIn(String className, String packageName) { return className.startsWith(packageName + "/"); }
}
