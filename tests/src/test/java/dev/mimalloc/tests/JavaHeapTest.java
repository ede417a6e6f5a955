package dev.mimalloc.tests;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the Java heap and its collector do, or fail to do, is none of the allocator's business. */
class JavaHeapTest {
    @Test
    void aCollectorThatNeverRuns() throws Exception {
        run("neverCollected", "-XX:+UnlockExperimentalVMOptions", "-XX:+UseEpsilonGC", "-Xms64m", "-Xmx64m");
    }

    @Test
    void aCollectorThatAlwaysRuns() throws Exception { run("alwaysCollected", "-XX:+UseSerialGC", "-Xmx24m"); }

    @Test
    void aFullHeapLeavesNothingHalfDone() throws Exception { run("full", "-XX:+UseSerialGC", "-Xmx16m"); }

    @Test
    void aFullHeapBeforeTheFirstCall() throws Exception { run("firstCallFull", "-XX:+UseSerialGC", "-Xmx16m"); }

    private static final Pattern LOST = Pattern.compile("NoClassDefFoundError: .*dev[./]mimalloc");

    private static void run(String program, String... options) throws Exception {
        Child child = Child.java(JavaHeapPrograms.class, List.of(options), program);
        for (int again = 0; again < 2 && child.exit() != 0 && isLostByTheJdk(child.err()); again++) {
            child = Child.java(JavaHeapPrograms.class, List.of(options), program);
        }
        child.assertSuccess();
    }

    /**
     * A class of the JDK that meets a full heap in its initialiser is lost for good, whoever needed it. The allocator's own
     * must not be: they are loaded before.
     */
    private static boolean isLostByTheJdk(String err) {
        return err.contains("NoClassDefFoundError") && !LOST.matcher(err).find();
    }
}
