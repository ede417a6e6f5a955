package dev.mimalloc.translate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Picks core's functions out of what TeaVM wrote: of the class tables and of TeaVM's runtime nothing is needed. */
final class Generated {
    private static final Pattern HEAD = Pattern.compile("(int64_t|int32_t|void) (\\w+)\\((.*)\\) \\{");
    private static final Pattern RUNTIME =
            Pattern.compile("\\b(meth_|teavm_(?!compare_)|sysinitclass_|TEAVM_(?!TO_)|TeaVM_)\\w*");

    private Generated() {}

    /**
     * Declarations of all functions that are reachable from an export, then their definitions.
     *
     * @throws IllegalStateException if there is none for a method that is exported
     */
    static String functions(Core core, Path generated) throws IOException {
        Map<String, Core.Method> byName = core.methods().stream().collect(Collectors.toMap(Core.Method::cName, m -> m));
        var declarations = new StringBuilder();
        var definitions = new StringBuilder();
        Set<String> missing = core.exported().map(Core.Method::cName).collect(Collectors.toCollection(TreeSet::new));
        for (String className : core.classNames()) {
            Path file = generated.resolve("classes/" + className.replace('.', '/') + ".c");
            if (!Files.exists(file)) continue;
            var functions = functions(Files.readString(file));
            functions.keySet().retainAll(byName.keySet());
            if (functions.isEmpty()) continue;
            missing.removeAll(functions.keySet());
            String title = "\n// " + byName.get(functions.keySet().iterator().next()).simpleClassName() + "\n\n";
            definitions.append(title);
            functions.forEach((name, text) -> {
                var leak = RUNTIME.matcher(text);
                if (leak.find()) throw new IllegalStateException(name + " needs of TeaVM's runtime " + leak.group());
                var method = byName.get(name);
                String head = text.substring(0, text.indexOf(" {\n"));
                String kind = method.isRare() ? "MI_RARE " : method.slow() ? "MI_SLOW " : isFast(method, text) ? "MI_INLINE " : "static ";
                declarations.append(method.where(kind + head + ";\n", ""));
                definitions.append(method.where(kind + text, ""));
            });
        }
        if (!missing.isEmpty()) {
            throw new IllegalStateException("no function in C for exported methods: " + missing
                    + "; if they are of old class files, ./mimalloc clean removes these");
        }
        return declarations.append(definitions).toString();
    }

    /** What is exported and short is wanted whole in its wrapper: a jump would cost malloc and free dearly. */
    private static boolean isFast(Core.Method method, String text) {
        return !method.exports().isEmpty() && text.lines().count() <= 20;
    }

    private static Map<String, String> functions(String file) {
        var functions = new LinkedHashMap<String, String>();
        StringBuilder text = null;
        String name = null;
        for (String line : file.lines().toList()) {
            var head = HEAD.matcher(line);
            if (head.matches()) {
                name = head.group(2);
                String parameters = head.group(3).isEmpty() ? "void" : head.group(3);
                text = new StringBuilder("%s %s(%s) {\n".formatted(head.group(1), name, parameters));
            } else if (text != null) {
                text.append(line).append('\n');
                if (line.equals("}")) {
                    functions.put(name, text.toString().replace("teavm_local_", "v").replace("teavm_label_", "label")
                            .replace("teavm_cnt_", "next"));
                    text = null;
                }
            }
        }
        return functions;
    }
}
