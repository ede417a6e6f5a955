package dev.mimalloc;

import java.util.Set;

/** Tells the allocator's own frames of a stack from those of the program that has called it. */
final class Frames {
    private static final String PREFIX = "dev.mimalloc.";
    /** The packages of this module; others whose names begin alike are programs that use it. */
    private static final Set<String> OWN = Set.of("dev.mimalloc");

    private Frames() {}

    /** Whether a class, given by its name, is of this module, of core or of the machine. */
    static boolean isOwn(String name) {
        return name.startsWith(PREFIX) && (OWN.contains(name.substring(0, name.lastIndexOf('.')))
                || name.startsWith("core.", PREFIX.length()) || name.startsWith("machine.", PREFIX.length()));
    }
}
