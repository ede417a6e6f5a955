package dev.mimalloc.core.base;

import dev.mimalloc.machine.Check;
import dev.mimalloc.machine.Os;
import dev.mimalloc.machine.Secure;
import dev.mimalloc.machine.Track;
import dev.mimalloc.machine.Variant;

/**
 * What hardens the allocator in this process, and the secrets that it needs: two keys from the OS, from which all
 * others come. Both are written once, before there is a second thread.
 *
 * <p>Features come from two places. Those of the secure build are constants, and its fast paths have them. Any other
 * one is asked for by options at the start of the process, in every build: then each page has a mark that sends its
 * frees to the slow path, and no page is in a direct table, which sends each malloc there. The debug build asks for some
 * by itself.
 */
public final class Secret {
    /** Frees are checked: of the start of a block that its user has. A free block carries a tag that no user knows. */
    public static final int TAGS = 1;
    /** A page's blocks are linked in random order. */
    public static final int SHUFFLE = 2;
    /** Behind the bytes that the user asked for stand others that nobody may change. */
    public static final int PADDING = 4;
    /** A block is zeroed when it is freed. */
    public static final int ZERO = 8;
    /** A block that is given out again is still as it was left when it was freed. */
    public static final int REUSE = 16;
    /** A block waits before it can be given out again. */
    public static final int QUARANTINE = 32;
    /** A large block waits, too, and cannot be touched meanwhile. */
    public static final int QUARANTINE_LARGE = 64;
    /** What the debug build has beyond all these: blocks are filled, and counted one by one. */
    private static final int DEBUG = 128;

    /** KiB of blocks that wait for a theap with the strongest preset: 1024 slots. */
    private static final long QUARANTINE_KIB = 256;
    /** KiB of large blocks, addresses without memory. */
    private static final long QUARANTINE_LARGE_KIB = 256 << 10;

    private Secret() {}

    /** Are the fast paths those of the secure build, from level 3 on? A link is encoded there. A constant. */
    public static boolean isBuilt() { return Secure.level() >= 3; }

    /** Is the order of blocks, and of pages that may serve, random in all pages, from level 2 on? A constant. */
    public static boolean isShuffled() { return Secure.level() >= 2; }

    /** Does memory that cannot be touched lie behind each page, and blocks of no bytes in such memory? A constant. */
    public static boolean guardsPages() { return Secure.level() >= 5; }

    /** The features that the level of the secure build has. A constant. */
    private static int built() { return isBuilt() ? TAGS | SHUFFLE | PADDING : isShuffled() ? SHUFFLE : 0; }

    /** How many bytes of padding each block of the fast paths has at least. A constant. */
    public static long builtPadding() { return isBuilt() ? 1 : 0; }

    /** Is this one of the features of the process? */
    public static boolean has(int feature) {
        return (built() & feature) != 0 || (Root.hardeningRelaxed() & feature) != 0;
    }

    /** Does anything beyond the secure build need the slow paths of malloc and free? */
    public static boolean isOnDemand() { return Root.hardeningRelaxed() != 0; }

    /** Does anything harden the process? */
    public static boolean isOn() { return isBuilt() || isOnDemand(); }

    /** Does a misuse end the process, unless an option says otherwise? */
    static boolean endsProcess() { return (Random.isOn() || isOnDemand()) && !isDebug(); }

    /** Does padding also say by which form a block was allocated? A constant. */
    public static boolean hasForms() { return Secure.level() >= 4 || Check.level() >= 1; }

    /** Has this process what the debug build has? Always false in any other. */
    public static boolean isDebug() { return Check.level() >= 1 && (Root.hardeningRelaxed() & DEBUG) != 0; }

    /** What is in the bytes of a freed block, where they are filled. */
    public static int freed() { return isDebug() && !has(ZERO) ? 0xDF : 0; }

    /** Is an error shown although no option asks for it? So it is by the debug library, unless an option forbids it. */
    static boolean showsErrors() { return Variant.showsErrors() && isDebug() && !Options.isGiven(Options.SHOW_ERRORS); }

    /** Draws the keys if they are needed, and reads the options. */
    public static void init() {
        if (Random.isOn()) drawKeys(); // before memory is mapped
        int features = features() & ~built();
        if (features != 0) drawKeys();
        Root.setHardeningRelaxed(features);
    }

    private static void drawKeys() {
        if (Root.key(0) != 0) return;
        Root.setKey(0, draw());
        Root.setKey(1, draw());
    }

    private static int features() {
        long preset = Options.bounded(Options.HARDEN);
        int features = preset >= 1 ? TAGS | SHUFFLE : 0;
        if (Track.isOn()) features |= TAGS | PADDING; // what sends each malloc and free to where a tool is told
        if (preset >= 2) features |= PADDING;
        if (preset >= 3) features |= ZERO | REUSE;
        // A preset that is given, or none, is what a debug build has, too.
        if (Check.level() >= 1 && !Options.isGiven(Options.HARDEN)) features |= TAGS | PADDING | REUSE | DEBUG;
        if (Options.isEnabled(Options.SECURE_TAGS)) features |= TAGS;
        if (Options.isEnabled(Options.SECURE_SHUFFLE)) features |= SHUFFLE;
        if (Options.isEnabled(Options.SECURE_PADDING)) features |= TAGS | PADDING;
        if (Options.isEnabled(Options.SECURE_ZERO)) features |= TAGS | ZERO;
        if (Options.isEnabled(Options.SECURE_REUSE)) features |= TAGS | ZERO | REUSE;
        if (quarantineBytes(0) != 0) features |= TAGS | QUARANTINE;
        if (quarantineBytes(1) != 0) features |= QUARANTINE_LARGE;
        return features;
    }

    /** How many bytes of freed blocks may wait for a theap, or of large ones, which are kind 1; 0 for none, also where a user says so. */
    public static long quarantineBytes(int kind) {
        long preset = Options.bounded(Options.HARDEN) < 3 ? 0 : kind == 1 ? QUARANTINE_LARGE_KIB : QUARANTINE_KIB;
        int option = kind == 1 ? Options.SECURE_QUARANTINE_LARGE : Options.SECURE_QUARANTINE;
        long given = Options.bounded(option);
        return (Options.isGiven(option) ? given : preset) << 10;
    }

    /** 64 bits from the OS that are not 0. */
    public static long draw() {
        long bits = Os.random();
        return bits != 0 ? bits : Random.mix(Root.start() + Root.at(0)) | 1; // without a generator: the clock, and where we are
    }

    public static long rotate(long x, int bits) { return x << bits | x >>> 64 - bits; }
}
