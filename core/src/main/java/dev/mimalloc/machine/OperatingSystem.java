package dev.mimalloc.machine;

/** What {@link Os} wants of a system; a class for each, chosen once. */
abstract class OperatingSystem {
    static OperatingSystem choose() {
        String name = System.getProperty("os.name");
        if (name.equals("Linux")) return new Linux();
        throw new UnsupportedOperationException("mimalloc for Java runs on Linux, not yet on " + name);
    }

    abstract void prepare();
    abstract long firstMemory(long size);
    abstract long pageSize();
    abstract long largePageSize();
    abstract long physicalMemory();
    abstract boolean overcommits();

    abstract long map(long size, long alignment, boolean commit, boolean large);
    abstract long mapHuge(long size, int numaNode);
    abstract boolean unmap(long a, long size);
    abstract boolean mapAt(long a, long size);
    abstract boolean remap(long a, long size, long newSize, long target);
    abstract boolean commit(long a, long size);
    abstract int decommit(long a, long size);
    abstract boolean discard(long a, long size);
    abstract boolean reset(long a, long size);
    abstract boolean protect(long a, long size);
    abstract boolean transparentHugePages(long a, long size, boolean allow);
    abstract boolean disallowTransparentHugePages();

    abstract int numaNode();
    abstract int numaNodes();
    abstract long random();
    abstract void write(long text, long length);
    abstract void processInfo(long target);
}
