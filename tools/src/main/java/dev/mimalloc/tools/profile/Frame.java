package dev.mimalloc.tools.profile;

/** A call: the function, and the source file and line, which are empty and 0 where nothing tells of them. */
public record Frame(String function, String file, long line) {
    @Override
    public String toString() {
        if (file.isEmpty()) return function;
        return function + " (" + file + (line > 0 ? ":" + line : "") + ")";
    }
}
