package dev.mimalloc.rules;

import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Which class stands on which: a class is one floor above the highest that it calls. Constants that javac copies are
 * not calls.
 */
final class Floors {
    private final Map<String, TreeSet<String>> calls = new TreeMap<>();
    private final Map<String, Integer> floors = new TreeMap<>();
    private final List<String> path = new ArrayList<>();

    Floors(Collection<ClassModel> classes) {
        for (ClassModel cls : classes) calls.put(name(cls.thisClass().asInternalName()), new TreeSet<>());
        for (ClassModel cls : classes) {
            String caller = name(cls.thisClass().asInternalName());
            StreamSupport.stream(cls.constantPool().spliterator(), false)
                    .filter(MemberRefEntry.class::isInstance)
                    .map(entry -> name(((MemberRefEntry) entry).owner().asInternalName()))
                    .filter(callee -> calls.containsKey(callee) && !callee.equals(caller))
                    .forEach(calls.get(caller)::add);
        }
    }

    private static String name(String internalName) { return internalName.replaceAll(".*[/$]", ""); }

    /** The first circle of classes that is found, such as {@code [A, B, A]}; empty if there is none. */
    List<String> cycle() {
        for (String name : calls.keySet()) {
            List<String> cycle = visit(name);
            if (!cycle.isEmpty()) return cycle;
        }
        return List.of();
    }

    private List<String> visit(String name) {
        int seen = path.indexOf(name);
        if (seen >= 0) {
            var cycle = new ArrayList<>(path.subList(seen, path.size()));
            cycle.add(name);
            return cycle;
        }
        if (floors.containsKey(name)) return List.of();
        path.add(name);
        int floor = 0;
        for (String callee : calls.get(name)) {
            List<String> cycle = visit(callee);
            if (!cycle.isEmpty()) return cycle;
            floor = Math.max(floor, floors.get(callee) + 1);
        }
        path.removeLast();
        floors.put(name, floor);
        return List.of();
    }

    /** The house from the top floor down; only without cycles. */
    @Override
    public String toString() {
        var byFloor = floors.entrySet().stream().collect(Collectors.groupingBy(Map.Entry::getValue, TreeMap::new,
                Collectors.mapping(Map.Entry::getKey, Collectors.joining("  "))));
        var house = new StringBuilder();
        byFloor.descendingMap().forEach((floor, names) -> house.append("%3d  %s%n".formatted(floor, names)));
        return house.append("     ").append("=".repeat(20)).append(" machine ").append("=".repeat(20)).toString();
    }
}
