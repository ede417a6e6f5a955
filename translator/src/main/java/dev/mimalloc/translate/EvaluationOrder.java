package dev.mimalloc.translate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.teavm.model.BasicBlock;
import org.teavm.model.Instruction;
import org.teavm.model.Program;
import org.teavm.model.Variable;
import org.teavm.model.instructions.IntegerConstantInstruction;
import org.teavm.model.instructions.InvokeInstruction;
import org.teavm.model.instructions.LongConstantInstruction;
import org.teavm.model.instructions.StringConstantInstruction;
import org.teavm.model.util.DefinitionExtractor;
import org.teavm.model.util.UsageExtractor;

/**
 * Keeps Java's order of evaluation. TeaVM folds calls into the expression that uses them; Java evaluates that from left
 * to right, but C evaluates operands and arguments in any order. So where another call lies between a call and the use
 * of its result, the result gets a variable of its own: TeaVM keeps a variable that has a name.
 */
final class EvaluationOrder {
    /** What an instruction has to do with memory; reads may change places with each other, but not with effects. */
    private enum Kind { NONE, READ, EFFECT }

    /** A value that TeaVM may compute where it is used: what its computation does, and where it stands in the block. */
    private record Pending(Kind kind, int position) {
        Pending and(Pending other) {
            return new Pending(kind.compareTo(other.kind) > 0 ? kind : other.kind, Math.min(position, other.position));
        }

        boolean passes(Kind between) {
            return kind == Kind.NONE || between == Kind.NONE || (kind == Kind.READ && between == Kind.READ);
        }
    }

    private static final Pending SETTLED = new Pending(Kind.NONE, Integer.MAX_VALUE);
    private static final Pending FROM_ELSEWHERE = new Pending(Kind.EFFECT, -1);
    private static final Set<String> READS = Set.of("getLong", "getInt", "getShort", "getByte");
    private static final Set<String> PURE = Set.of("root", "likely", "unlikely");

    private final Map<Variable, Pending> pending = new HashMap<>();

    private EvaluationOrder() {}

    static void keep(Program program, int parameters) {
        for (BasicBlock block : program.getBasicBlocks()) {
            var order = new EvaluationOrder();
            for (int i = 0; i <= parameters; i++) order.pending.put(program.variableAt(i), SETTLED);
            order.keep(block);
        }
    }

    private void keep(BasicBlock block) {
        var kinds = new ArrayList<Kind>();
        for (Instruction instruction : block) {
            int position = kinds.size();
            var value = SETTLED;
            for (Variable used : used(instruction)) {
                var before = pending.getOrDefault(used, FROM_ELSEWHERE);
                for (int i = before.position + 1; i >= 0 && i < position; i++) {
                    if (before.passes(kinds.get(i))) continue;
                    used.setDebugName("v" + used.getIndex());
                    before = SETTLED;
                    pending.put(used, before);
                }
                value = value.and(before);
            }
            Kind kind = kind(instruction);
            kinds.add(kind);
            if (kind != Kind.NONE) value = new Pending(kind, position);
            if (isConstant(instruction)) value = SETTLED;
            for (Variable defined : defined(instruction)) pending.put(defined, value);
        }
    }

    private static boolean isConstant(Instruction instruction) {
        return instruction instanceof LongConstantInstruction || instruction instanceof IntegerConstantInstruction
                || instruction instanceof StringConstantInstruction;
    }

    private static Kind kind(Instruction instruction) {
        if (!(instruction instanceof InvokeInstruction call)) return Kind.NONE;
        String owner = call.getMethod().getClassName(), name = call.getMethod().getName();
        if (owner.equals(Core.MACHINE + "Memory") && READS.contains(name)) return Kind.READ;
        if (owner.equals(Core.MACHINE + "Memory") && PURE.contains(name)) return Kind.NONE;
        if (owner.equals(Core.MACHINE + "Check") && name.equals("isOn")) return Kind.NONE;
        boolean pure = owner.equals(Arithmetic.class.getName()) || owner.equals(Core.MACHINE + "Bits")
                || owner.equals(Core.MACHINE + "Text") || owner.equals("java.lang.Long");
        return pure ? Kind.NONE : Kind.EFFECT;
    }

    private static Variable[] used(Instruction instruction) {
        var extractor = new UsageExtractor();
        instruction.acceptVisitor(extractor);
        return extractor.getUsedVariables();
    }

    private static Variable[] defined(Instruction instruction) {
        var extractor = new DefinitionExtractor();
        instruction.acceptVisitor(extractor);
        return extractor.getDefinedVariables();
    }
}
