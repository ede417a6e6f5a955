package dev.mimalloc.profile;

/**
 * A line of a method. It keeps no class alive.
 *
 * @param type the class' name; "" for a frame that is no method's
 * @param file the source's name, without its folder; "" if it is not known
 * @param line 0 if it is not known
 */
record Frame(String type, String method, String file, int line) {
    /** One that is no method's. */
    static Frame named(String name) { return new Frame("", name, "", 0); }

    static Frame of(StackTraceElement place) {
        String file = place.getFileName();
        return new Frame(place.getClassName(), place.getMethodName(), file == null ? "" : file, Math.max(0, place.getLineNumber()));
    }

    /** The path of the file: readers look for it below the folders with sources that they are given. */
    String path() { return file.isEmpty() ? "" : type.substring(0, type.lastIndexOf('.') + 1).replace('.', '/') + file; }

    /** The method, with its class. */
    String name() { return type.isEmpty() ? method : type + "." + method; }

    // A record's own equals and hashCode are method handles, which keep a class loader alive that nobody else does.
    @Override
    public boolean equals(Object other) {
        return other instanceof Frame o && line == o.line && method.equals(o.method) && type.equals(o.type) && file.equals(o.file);
    }

    @Override
    public int hashCode() { return 31 * (31 * type.hashCode() + method.hashCode()) + line; }
}
