package dev.mimalloc.rules;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * The layout of a struct as its class declares it: a chain of constants, each the offset of a field, which begins with
 * one that is 0; the comment of each begins with the field's width in bytes if that is a number. Source files are read, since
 * javac leaves nothing of constants in class files.
 */
final class Layout {
    /** A field: what its offset is computed from, and its comment. */
    record Field(String name, String offset, String comment) {
        /** In bytes; 0 for a table or another struct. */
        int width() {
            String number = comment.replaceFirst("\\D.*", "");
            return number.isEmpty() ? 0 : Integer.parseInt(number);
        }

        boolean isAtomic() { return comment.matches("8 (relaxed|acquire|atomic)\\b.*"); }

        /** Lies in {@code other}, which is several fields in one word. */
        boolean isPartOf(Field other) { return offset.equals(other.name); }
    }

    private static final Pattern ROW =
            Pattern.compile("^ {4}(?:public |private )?static final (?:long|int) (\\w+) = (.*); // ?(.*)$", Pattern.MULTILINE);
    private static final Pattern CONSTANT = Pattern.compile("(?s)(?:public |private )?static final \\w+ \\w+ = .*?;");
    private static final String PLAIN = "(?:get|put)(?:Long|Int|Short|Byte)";
    private static final String ORDERED = "(?:get|put)(?:Relaxed|Acquire|Release|Volatile)|compareAndSet"
            + "|weakCompareAndSet|exchange|fetch\\w+";
    private static final Pattern ACCESS =
            Pattern.compile("\\b(" + PLAIN + "|" + ORDERED + ")\\((?:at\\(|\\w+ \\+ )([A-Z]\\w*)( \\+ \\w+ \\*)?");

    /** Gives back what Memory gives, or stores its parameter. */
    private static final Pattern ACCESSOR = Pattern.compile("^ {4}(?:public )?static \\w+ (\\w+)\\([^)]*\\) \\{ (?:return )?"
            + "(?:get|put)([A-Z]\\w+)\\([^;&|=?]*[a-zA-Z)]\\); \\}", Pattern.MULTILINE);

    private final String source;
    private final List<List<Field>> chains = new ArrayList<>();

    Layout(String source) {
        this.source = source;
        for (MatchResult row : ROW.matcher(source).results().toList()) {
            if (row.group(2).equals("0")) chains.add(new ArrayList<>());
            if (!chains.isEmpty()) chains.getLast().add(new Field(row.group(1), row.group(2), row.group(3)));
        }
    }

    List<List<Field>> chains() { return chains; }

    private Map<String, Field> byName() {
        var fields = new LinkedHashMap<String, Field>();
        chains.forEach(chain -> chain.forEach(field -> fields.put(field.name, field)));
        return fields;
    }

    /** Calls of Memory on a field: {@code {method, field, " + i *" or null}}. */
    List<String[]> accesses() {
        Map<String, Field> fields = byName();
        return ACCESS.matcher(code()).results().filter(a -> fields.containsKey(a.group(2)))
                .map(a -> new String[] {a.group(1), a.group(2), a.group(3)}).toList();
    }

    /** What Memory's calls access of a field that is not as wide, or is in some memory order, as it is said to be. */
    List<String> wrongAccesses() {
        var faults = new ArrayList<String>();
        for (String[] access : accesses()) {
            Field field = byName().get(access[1]);
            int width = access[0].endsWith("Int") ? 4 : access[0].endsWith("Short") ? 2 : access[0].endsWith("Byte") ? 1 : 8;
            boolean isWide = field.width() == 0 || field.width() > 8 && width == 8;
            if (!isWide && (access[2] != null || field.width() != width)) faults.add(access[0] + " of " + field + (access[2] == null ? "" : " as a table"));
            if (field.isAtomic() && access[0].matches(PLAIN)) faults.add("plain " + access[0] + " of " + field);
        }
        return faults;
    }

    /** Accessors of a field whose names do not end with the memory order, or do so where it is plain. */
    List<String> wrongNames() {
        var faults = new ArrayList<String>();
        if (chains.isEmpty()) return faults;
        for (MatchResult accessor : ACCESSOR.matcher(code()).results().toList()) {
            String order = accessor.group(2);
            boolean plain = order.matches("Long|Int|Short|Byte");
            String named = accessor.group(1).replaceFirst(".*(Relaxed|Acquire|Release|Volatile)$", "$1");
            if (plain ? !named.equals(accessor.group(1)) : !named.equals(order)) faults.add(accessor.group(1));
        }
        return faults;
    }

    /** Addresses of fields that are computed with a number, or with none; only in a class with a layout. */
    List<String> bareOffsets() {
        var faults = new ArrayList<String>();
        String code = code();
        find("\\b(?:" + PLAIN + "|" + ORDERED + ")\\([^(),]*[+-] (?:[2-9]|\\d\\d+)L?\\b", code, faults);
        if (chains.isEmpty()) return faults;
        Pattern.compile("\\w+ \\+ (\\d+)L?\\b").matcher(code).results().filter(sum -> Long.parseLong(sum.group(1)) % 8 == 0)
                .forEach(sum -> faults.add(sum.group()));
        find("\\* (?:8|16|24|32|64)L?\\b", code, faults);
        var structs = new TreeSet<String>();
        Pattern.compile("\\b([a-z]\\w*) \\+ (" + String.join("|", byName().keySet()) + ")\\b").matcher(code).results()
                .forEach(use -> structs.add(use.group(1)));
        if (structs.isEmpty()) return faults;
        find("\\b(?:" + PLAIN + "|" + ORDERED + ")\\((?:" + String.join("|", structs) + ")[,)]", code, faults);
        return faults;
    }

    private String code() {
        return CONSTANT.matcher(source.replaceAll("(?s)/\\*.*?\\*/", "").replaceAll("//.*", "")
                .replaceAll("\"(?:[^\"\\\\]|\\\\.)*\"", "\"\"")).replaceAll("");
    }

    private static void find(String regex, String code, List<String> faults) {
        Pattern.compile(regex).matcher(code).results().map(MatchResult::group).forEach(faults::add);
    }
}
