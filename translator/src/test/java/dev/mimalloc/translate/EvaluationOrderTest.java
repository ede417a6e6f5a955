package dev.mimalloc.translate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.machine.Bits;
import dev.mimalloc.machine.Memory;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.teavm.model.Program;
import org.teavm.model.ReferenceCache;
import org.teavm.parsing.ClasspathClassHolderSource;

class EvaluationOrderTest {
    private static final ClasspathClassHolderSource CLASSES = new ClasspathClassHolderSource(new ReferenceCache());

    /** How many results must get a variable of their own. */
    @ParameterizedTest
    @CsvSource({"twoEffects, 1", "effectAfterRead, 1", "threeEffects, 2", "hiddenInArithmetic, 1", "chosenBefore, 1",
            "twoReads, 0", "oneInTheOther, 0", "pure, 0", "inSequence, 0"})
    void keepsWhatCMightReorder(String method, int named) {
        Program program = program(method);
        EvaluationOrder.keep(program, 1);
        long found = IntStream.range(0, program.variableCount()).filter(i -> name(program, i).startsWith("v")).count();
        assertThat(found).isEqualTo(named);
    }

    private static String name(Program program, int variable) {
        String name = program.variableAt(variable).getDebugName();
        return name == null ? "" : name;
    }

    private static Program program(String name) {
        var methods = CLASSES.get(Code.class.getName()).getMethods();
        Program program = methods.stream().filter(m -> m.getName().equals(name)).findFirst().orElseThrow().getProgram();
        // The names from the source would be mistaken for ours.
        for (int i = 0; i < program.variableCount(); i++) program.variableAt(i).setDebugName(null);
        return program;
    }

    /** To be translated, not run. */
    @SuppressWarnings("unused")
    private static final class Code {
        private Code() {}

        static long twoEffects(long p) { return Memory.fetchAdd(p, 1) - Memory.fetchAdd(p, 2); }

        static void effectAfterRead(long p) { Memory.putLong(Memory.getLong(p), Memory.exchange(p, 0)); }

        static long threeEffects(long p) {
            return Memory.fetchAdd(p, 1) * 8 + Memory.fetchAdd(p, 2) + Memory.fetchAdd(p, 3);
        }

        static long hiddenInArithmetic(long p) { return (Memory.getLong(p) + 1) * 3 + Memory.fetchAdd(p, 2); }

        static long chosenBefore(long p) { return (p == 8 ? Memory.fetchAdd(p, 1) : 2) - Memory.fetchAdd(p, 2); }

        static long twoReads(long p) { return Memory.getLong(p) - Memory.getLong(p + 8); }

        static void oneInTheOther(long p) { Memory.putLong(p, Memory.getLong(Memory.getLong(p))); }

        static long pure(long p) { return Bits.multiplyHigh(p, 3) + Bits.count(p) * Memory.getLong(p); }

        static void inSequence(long p) {
            Memory.putLong(p, 1);
            Memory.putLong(p + 8, 2);
        }
    }
}
