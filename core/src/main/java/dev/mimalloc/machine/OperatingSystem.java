package dev.mimalloc.machine;

import java.io.FileInputStream;
import java.io.IOException;

/**
 * The calls of a system that {@link Os} declares, with the same arguments and answers; a class for each family of
 * systems. What one has not is answered with {@link Os#UNSUPPORTED}.
 */
abstract class OperatingSystem {
    private static final int NO_SUCH_FILE = -2;

    static OperatingSystem choose() {
        String name = System.getProperty("os.name");
        if (name.equals("Linux")) return new Linux();
        if (name.startsWith("Windows")) return new Windows();
        if (name.startsWith("Mac OS")) return new MacOs();
        throw unknown(name);
    }

    static UnsupportedOperationException unknown(String name) {
        return new UnsupportedOperationException("mimalloc for Java runs on Linux, Windows and macOS, and does not know " + name);
    }

    /** Addresses are 64 bits wide, and the processor is one of those that these systems have. */
    static boolean isX86() {
        String processor = System.getProperty("os.arch");
        if (processor.equals("amd64") || processor.equals("x86_64")) return true;
        if (processor.equals("aarch64")) return false;
        throw unknown(System.getProperty("os.name") + " on " + processor);
    }

    /** Makes ready what a first call would have to wait for. */
    void prepare() { SystemCalls.link(); }
    /** Can calls be made without a wait? */
    boolean isReady() { return SystemCalls.isLinked(); }

    abstract long pageSize();
    abstract long map(long wish, long size, long alignment, int flags);
    abstract long unmap(long a, long size);
    abstract long protect(long a, long size, int access);
    abstract long advise(long a, long size, int advice);
    abstract long remap(long a, long size, long newSize, long target);
    abstract long bind(long a, long size, int numaNode);
    abstract long node();
    abstract long disallowHugePages();
    abstract long write(long text, long length);
    abstract void processInfo(long target);

    /** Only Linux says it for a range. */
    long resident(long a, long size) { return Os.UNSUPPORTED; }

    /** What {@link #processInfo} tells, in its order: milliseconds, bytes, and numbers of faults. */
    static void store(long target, long user, long system, long resident, long peak, long major, long minor) {
        long[] words = {user, system, resident, peak, major, minor};
        for (int i = 0; i < words.length; i++) Memory.putLong(target + i * Memory.WORD, words[i]);
    }

    long readFile(String path, long buffer, long size) {
        try (var file = new FileInputStream(path)) {
            byte[] text = file.readNBytes((int) size);
            for (int i = 0; i < text.length; i++) Memory.putByte(buffer + i, text[i]);
            return text.length;
        } catch (IOException e) {
            return NO_SUCH_FILE;
        }
    }
}
