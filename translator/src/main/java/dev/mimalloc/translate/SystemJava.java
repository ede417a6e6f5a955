package dev.mimalloc.translate;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.teavm.ast.ConstantExpr;
import org.teavm.ast.InvocationExpr;
import org.teavm.backend.c.TeaVMCHost;
import org.teavm.backend.c.intrinsic.Intrinsic;
import org.teavm.backend.c.intrinsic.IntrinsicContext;
import org.teavm.dependency.AbstractDependencyListener;
import org.teavm.dependency.DependencyAgent;
import org.teavm.interop.Export;
import org.teavm.interop.Import;
import org.teavm.interop.StaticInit;
import org.teavm.interop.Unmanaged;
import org.teavm.model.AnnotationContainer;
import org.teavm.model.AnnotationHolder;
import org.teavm.model.AnnotationValue;
import org.teavm.model.ClassHolder;
import org.teavm.model.ClassHolderTransformer;
import org.teavm.model.ElementModifier;
import org.teavm.model.MethodDescriptor;
import org.teavm.model.MethodReference;
import org.teavm.vm.spi.TeaVMHost;
import org.teavm.vm.spi.TeaVMPlugin;

/**
 * Teaches TeaVM system Java. Core's classes need no initialisation and no shadow stack, and each method gets the C name
 * that {@link Core} chose; the exported ones are the roots. The machine's methods lose their bodies and become calls
 * of the functions of machine.h.
 */
public final class SystemJava implements TeaVMPlugin {
    private final Map<MethodReference, Core.Method> methods = new HashMap<>();

    @Override
    public void install(TeaVMHost host) {
        Core core = Core.load();
        for (var method : core.methods()) methods.put(reference(method), method);
        var classes = core.classNames();
        host.add((ClassHolderTransformer) (cls, context) -> {
            if (classes.contains(cls.getName())) nameMethods(cls);
            else if (cls.getName().startsWith(Core.MACHINE)) importMethods(cls, simpleName(cls) + "_");
            else if (cls.getName().equals(Arithmetic.class.getName())) importMethods(cls, "");
        });
        host.getExtension(TeaVMCHost.class).addIntrinsic(context -> new Literal());
        host.add(new AbstractDependencyListener() {
            @Override
            public void started(DependencyAgent agent) {
                core.exported().forEach(method -> agent.linkMethod(reference(method)).use());
            }
        });
    }

    private static MethodReference reference(Core.Method method) {
        return new MethodReference(method.className(), method.name(),
                MethodDescriptor.parseSignature(method.descriptor()));
    }

    private void nameMethods(ClassHolder cls) {
        annotate(cls.getAnnotations(), StaticInit.class);
        annotate(cls.getAnnotations(), Unmanaged.class);
        for (var method : cls.getMethods()) {
            var known = methods.get(method.getReference());
            if (known == null) continue;
            annotate(method.getAnnotations(), Export.class).getValues().put("name", new AnnotationValue(known.cName()));
            if (method.getProgram() == null) continue;
            Arithmetic.rewrite(method.getProgram());
            EvaluationOrder.keep(method.getProgram(), method.parameterCount());
        }
    }

    private static String simpleName(ClassHolder cls) { return cls.getName().substring(Core.MACHINE.length()); }

    private static void importMethods(ClassHolder cls, String prefix) {
        annotate(cls.getAnnotations(), StaticInit.class);
        annotate(cls.getAnnotations(), Unmanaged.class);
        for (var method : List.copyOf(cls.getMethods())) {
            if (method.getName().startsWith("<")) {
                cls.removeMethod(method);
            } else if (method.hasModifier(ElementModifier.STATIC)) {
                method.setProgram(null);
                method.getModifiers().add(ElementModifier.NATIVE);
                annotate(method.getAnnotations(), Import.class).getValues().put("name",
                        new AnnotationValue(prefix + method.getName()));
            }
        }
    }

    private static AnnotationHolder annotate(AnnotationContainer on, Class<?> type) {
        var annotation = new AnnotationHolder(type.getName());
        on.add(annotation);
        return annotation;
    }

    /** {@code Text.literal("…")} becomes the address of a C string literal. */
    private static final class Literal implements Intrinsic {
        @Override
        public boolean canHandle(MethodReference method) {
            return method.getClassName().equals(Core.MACHINE + "Text") && method.getName().equals("literal");
        }

        @Override
        public void apply(IntrinsicContext context, InvocationExpr call) {
            if (!(call.getArguments().getFirst() instanceof ConstantExpr constant)
                    || !(constant.getValue() instanceof String text)) {
                throw new IllegalArgumentException("Text.literal wants a literal in " + context.callingMethod());
            }
            context.writer().print("((int64_t)(intptr_t)" + quote(text) + ")");
        }

        private static String quote(String text) {
            var c = new StringBuilder("\"");
            for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
                if (b == '\n') c.append("\\n");
                else if (b == '"' || b == '\\') c.append('\\').append((char) b);
                else if (b >= ' ' && b < 127) c.append((char) b);
                else c.append("\\%03o".formatted(b & 0xff));
            }
            return c.append('"').toString();
        }
    }
}
