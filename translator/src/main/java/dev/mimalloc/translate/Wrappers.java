package dev.mimalloc.translate;

import java.util.HashMap;

/**
 * The C interface: a function for each signature in an {@code @Export}, around the translated method. {@code MI_SCOPE}
 * stands where a call begins; only a build for valgrind has something there.
 */
final class Wrappers {
    private Wrappers() {}

    static String of(Core core) {
        var declarations = new StringBuilder();
        var definitions = new StringBuilder();
        var owners = new HashMap<String, Core.Method>();
        core.exported().forEach(method -> {
            for (String text : method.exports()) {
                var signature = Signature.parse(text);
                var other = owners.put(signature.name(), method);
                if (other != null) throw new IllegalArgumentException(signature.name() + " is exported twice");
                if (signature.isInternal()) declarations.append("static ").append(signature).append(";\n");
                definitions.append(method.where(wrapper(method, signature), without(signature)));
            }
        });
        return declarations.append('\n').append(definitions).toString();
    }

    /** In a library that has nothing of it: it does nothing. */
    private static String without(Signature signature) {
        return "%s%s {%s }\n".formatted(signature.isInternal() ? "static " : "", signature, signature.result().equals("void") ? "" : " return 0;");
    }

    static String wrapper(Core.Method method, Signature signature) {
        var types = method.type().parameterList();
        if (types.size() != signature.parameters().size()) {
            throw new IllegalArgumentException(
                    method.cName() + " takes " + types.size() + " parameters, but not " + signature);
        }
        if (method.type().returnType().descriptorString().equals("V") != signature.result().equals("void")) {
            throw new IllegalArgumentException(
                    method.cName() + " and " + signature + " differ in whether they return something");
        }
        var arguments = new StringBuilder();
        for (int i = 0; i < types.size(); i++) {
            if (i > 0) arguments.append(", ");
            arguments.append(signature.parameters().get(i).toCore(types.get(i).descriptorString()));
        }
        String call = method.cName() + "(" + arguments + ")";
        return "%s%s { MI_SCOPE; %s }\n".formatted(signature.isInternal() ? "static " : "", signature, signature.fromCore(call));
    }
}
