package dev.mimalloc.core.profile;

import static dev.mimalloc.machine.Memory.*;

import dev.mimalloc.core.base.Config;
import dev.mimalloc.core.base.Meta;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Text;

/** The files that the process runs code of, and where they are mapped: what the system tells of them on Linux. */
final class Mappings {
    private static final long FILE = 0; // 8: the list of all mappings, as it is read
    private static final long START = FILE + 8; // 8
    private static final long LIMIT = START + 8; // 8
    private static final long OFFSET = LIMIT + 8; // 8: in the file
    private static final long HEAD = OFFSET + 8; // 8: bytes of the file's head that are known
    private static final long PATH = HEAD + 8; // up to PATH_MAX
    private static final long PATH_MAX = 4096;
    private static final long BUILD_ID = PATH + PATH_MAX; // text in hex: most have 40 digits, of SHA-1; and its zero
    private static final long BUILD_ID_MAX = 128;
    private static final long BUFFER = BUILD_ID + BUILD_ID_MAX + WORD; // the file's head, where the notes are
    private static final long BUFFER_SIZE = 4096;
    private static final long SIZE = BUFFER + BUFFER_SIZE;

    // ELF: what its header and its tables of 64 bits begin with; offsets and widths of 32 bits are chosen where they differ.
    private static final int PT_NOTE = 4;
    // A note: the lengths of its name and of what it says, its kind, and both, each filled up to 4 bytes.
    private static final long NOTE_LENGTH = 4;
    private static final long NOTE_KIND = NOTE_LENGTH + 4;
    private static final long NOTE_NAME = NOTE_KIND + 4;
    private static final int NT_GNU_BUILD_ID = 3;

    private Mappings() {}

    /** Begins a walk over all mappings of code; 0 if the system does not tell of them. */
    static long open() {
        long mappings = Meta.allocate(SIZE);
        long file = mappings == 0 ? 0 : ProfileFile.open(Text.literal("/proc/self/maps"), false);
        if (file <= 0) {
            Meta.free(mappings, SIZE);
            return 0;
        }
        putLong(mappings + FILE, file);
        return mappings;
    }

    static void close(long mappings) {
        ProfileFile.close(getLong(mappings + FILE), false);
        Meta.free(mappings, SIZE);
    }

    static long start(long mappings) { return getLong(mappings + START); }
    static long limit(long mappings) { return getLong(mappings + LIMIT); }
    static long offset(long mappings) { return getLong(mappings + OFFSET); }
    static long path(long mappings) { return mappings + PATH; }

    /**
     * Goes on to the next mapping of code; false behind the last. A line of the list reads: start-limit rwxp offset
     * device inode path, with numbers in hex.
     */
    static boolean next(long mappings) {
        long file = getLong(mappings + FILE);
        while (true) {
            putLong(mappings + START, hex(file));
            putLong(mappings + LIMIT, hex(file));
            boolean runs = false;
            int letter;
            while ((letter = ProfileFile.read(file)) != ' ' && letter >= 0) runs |= letter == 'x';
            if (letter < 0) return false;
            putLong(mappings + OFFSET, hex(file));
            // The device and the inode, and then blanks.
            for (int words = 0; words < 2 && letter != '\n'; words++) {
                while ((letter = ProfileFile.read(file)) != ' ' && letter != '\n' && letter >= 0) {}
            }
            while (letter == ' ') letter = ProfileFile.read(file);
            long length = 0;
            for (; letter != '\n' && letter >= 0; letter = ProfileFile.read(file)) {
                if (length < PATH_MAX - 1) putByte(mappings + PATH + length++, letter);
            }
            putByte(mappings + PATH + length, 0);
            if (runs) return true;
        }
    }

    /** Reads a number and the letter behind it. */
    private static long hex(long file) {
        long value = 0;
        while (true) {
            int letter = ProfileFile.read(file);
            int digit = letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
            if (digit < 0) return value;
            value = value << 4 | digit;
        }
    }

    /** Does a mapping's path end in a name that begins so? */
    static boolean isNamed(long mappings, long name) {
        long last = mappings + PATH;
        for (long at = last; getByte(at) != 0; at++) {
            if (getByte(at) == '/') last = at + 1;
        }
        return ProfileFile.begins(last, name);
    }

    /**
     * The build id of the mapping's file, by which symbols are found that are kept elsewhere: text in hex, which stays until
     * the next call; empty if it has none. It is read from the file, as memory may go away meanwhile.
     */
    static long buildId(long mappings) {
        findBuildId(mappings);
        return mappings + BUILD_ID;
    }

    private static void findBuildId(long mappings) {
        putByte(mappings + BUILD_ID, 0);
        long read = getByte(mappings + PATH) == '/' ? Os.readFile(mappings + PATH, mappings + BUFFER, BUFFER_SIZE) : 0;
        putLong(mappings + HEAD, Config.max(0, read));
        if (!ProfileFile.begins(mappings + BUFFER, Text.literal("\177ELF"))) return;
        boolean wide = known(mappings, 4, 1) == 2;
        long entry = known(mappings, wide ? 0x20 : 0x1C, wide ? 8 : 4);
        long size = known(mappings, wide ? 0x36 : 0x2A, 2), count = known(mappings, wide ? 0x38 : 0x2C, 2);
        for (long i = 0; i < count; i++, entry += size) {
            if (known(mappings, entry, 4) != PT_NOTE) continue;
            long at = known(mappings, entry + (wide ? 0x08 : 0x04), wide ? 8 : 4);
            long end = at + known(mappings, entry + (wide ? 0x20 : 0x10), wide ? 8 : 4);
            if (findBuildIdIn(mappings, at, Config.min(end, getLong(mappings + HEAD)))) return;
        }
    }

    private static boolean findBuildIdIn(long mappings, long at, long end) {
        while (at >= 0 && at + NOTE_NAME <= end) {
            long name = known(mappings, at, 4), length = known(mappings, at + NOTE_LENGTH, 4);
            long text = at + NOTE_NAME + (name + 3 & -4);
            if (known(mappings, at + NOTE_KIND, 4) == NT_GNU_BUILD_ID && name == 4 && ProfileFile.begins(mappings + BUFFER + at + NOTE_NAME, Text.literal("GNU")) && text + length <= end) {
                for (long i = 0; i < 2 * length && i < BUILD_ID_MAX; i++) {
                    int digit = (int) known(mappings, text + i / 2, 1) >> ((i & 1) == 0 ? 4 : 0) & 15;
                    putByte(mappings + BUILD_ID + i, digit < 10 ? '0' + digit : 'a' + digit - 10);
                    putByte(mappings + BUILD_ID + i + 1, 0);
                }
                return true;
            }
            at = text + (length + 3 & -4);
        }
        return false;
    }

    /** A number in the file's head, in the order of bytes that this machine has; -1 behind what is known. */
    private static long known(long mappings, long at, int width) {
        if (at < 0 || at + width > getLong(mappings + HEAD)) return -1;
        long address = mappings + BUFFER + at;
        return width == 8 ? getLong(address) : width == 4 ? getInt(address) : width == 2 ? getShort(address) : getByte(address);
    }
}
