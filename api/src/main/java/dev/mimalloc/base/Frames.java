package dev.mimalloc.base;

import java.util.Set;

/** Tells the allocator's own frames of a stack from those of the program that has called it. */
public final class Frames {
    private static final String PREFIX = "dev.mimalloc.";
    /** The packages of this module; others whose names begin alike are programs that use it. */
    private static final Set<String> OWN = Set.of("dev.mimalloc", "dev.mimalloc.arena", "dev.mimalloc.base",
            "dev.mimalloc.flight", "dev.mimalloc.profile", "dev.mimalloc.tracking");

    private Frames() {}

    /** Whether a class, given by its name, is of this module, of core or of the machine. */
    public static boolean isOwn(String name) {
        return name.startsWith(PREFIX) && (name.startsWith("core.", PREFIX.length())
                || name.startsWith("machine.", PREFIX.length()) || OWN.contains(name.substring(0, name.lastIndexOf('.'))));
    }
}
