package dev.mimalloc.translate;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** A C function's signature, such as {@code void* mi_malloc(size_t size)}. */
record Signature(String result, String name, List<Parameter> parameters) {
    private static final Pattern FUNCTION = Pattern.compile("(.+?[\\s*])(\\w+)\\s*\\((.*)\\)");
    private static final Pattern PARAMETER = Pattern.compile("(.+?[\\s*])(\\w+)");

    /** The types that are numbers; every other type is a pointer or the name of one, or the one struct. */
    private static final Set<String> NUMBERS = Set.of("bool", "char", "int", "long", "unsigned", "size_t", "ptrdiff_t",
            "int32_t", "int64_t", "uint32_t", "uint64_t", "intptr_t", "uintptr_t", "wchar_t", "mi_option_t");

    /** The type that is a struct around an address, and its member. */
    private static final String STRUCT = "mi_subproc_id_t", MEMBER = "_mi_subproc_id";

    record Parameter(String type, String name) {
        /** The argument as core takes it. */
        String toCore(String javaType) {
            String c = Signature.coreType(javaType);
            // A size that no difference of pointers could be is negative for core, however wide a size_t is.
            if (type.equals("size_t")) return "(%s)(ptrdiff_t)%s".formatted(c, name);
            if (isNumber(type)) return "(%s)%s".formatted(c, name);
            return "(%s)(uintptr_t)%s%s".formatted(c, name, type.equals(STRUCT) ? "." + MEMBER : "");
        }
    }

    static Signature parse(String text) {
        var function = FUNCTION.matcher(text.strip());
        if (!function.matches()) throw new IllegalArgumentException("not a C signature: " + text);
        var parameters = new ArrayList<Parameter>();
        String list = function.group(3).strip();
        if (list.isEmpty()) throw new IllegalArgumentException("no parameters is (void) in C: " + text);
        if (!list.equals("void")) {
            for (String each : list.split(",", -1)) {
                var parameter = PARAMETER.matcher(each.strip());
                if (!parameter.matches()) throw new IllegalArgumentException("a parameter without a name: " + text);
                parameters.add(new Parameter(parameter.group(1).strip().replace(" *", "*"), parameter.group(2)));
            }
        }
        return new Signature(function.group(1).strip(), function.group(2), parameters);
    }

    /** Names with two underscores are for the C files next to core only, except for this one of the C interface. */
    boolean isInternal() { return name.startsWith("mi__") && !name.equals("mi__expand"); }

    /** The call's result as C wants it. */
    String fromCore(String call) {
        if (result.equals("void")) return call + ";";
        if (result.equals("bool")) return "return " + call + " != 0;";
        if (result.equals("long")) return "return mi_long(" + call + ");";
        if (result.equals(STRUCT)) return "return (%s){(void*)(uintptr_t)%s};".formatted(result, call);
        return "return (%s)%s%s;".formatted(result, isNumber(result) ? "" : "(uintptr_t)", call);
    }

    @Override
    public String toString() {
        var list = parameters.stream().map(p -> p.type + " " + p.name).toList();
        return result + " " + name + "(" + (list.isEmpty() ? "void" : String.join(", ", list)) + ")";
    }

    static boolean isNumber(String type) { return NUMBERS.contains(type.replace("const ", "").strip()); }

    /** The C type that stands for a type of system Java, given by its descriptor. */
    static String coreType(String descriptor) {
        return switch (descriptor) {
            case "J" -> "int64_t";
            case "I", "Z" -> "int32_t";
            case "V" -> "void";
            default -> throw new IllegalArgumentException("not a type of system Java: " + descriptor);
        };
    }
}
