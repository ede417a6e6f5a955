package dev.mimalloc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.machine.ThreadSlot;
import java.lang.foreign.Arena;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;

/** A container loads the allocator with a program, and drops both: nothing of the JDK's may keep the classes. */
class UnloadTest {
    private static final int ATTEMPTS = 200;
    private static final String KEEPER = "mimalloc-housekeeper";

    @Test
    void droppedClassesAreUnloadedAndTheirThreadEnds() throws Exception {
        List<Thread> keepers = new ArrayList<>();
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int i = 0; i < 2; i++) loaders.add(use(keepers, false));
        for (WeakReference<ClassLoader> loader : loaders) assertCollected(loader);
        for (Thread keeper : keepers) assertEnds(keeper);
    }

    @Test
    void alsoWhenAFlightRecordingHasSeenThem() throws Exception {
        List<Thread> keepers = new ArrayList<>();
        WeakReference<ClassLoader> loader;
        try (Recording recording = new Recording()) {
            recording.enable("dev.mimalloc.Statistics").with("period", "1 ms");
            recording.enable("dev.mimalloc.Live").with("period", "1 ms");
            recording.start();
            loader = use(keepers, false);
        }
        assertCollected(loader);
        for (Thread keeper : keepers) assertEnds(keeper);
    }

    @Test
    void andWhenTheyHaveSomethingToPrintAtTheEnd() throws Exception {
        System.setProperty("dev.mimalloc.show.stats", "1");
        try {
            assertCollected(use(new ArrayList<>(), false));
        } finally {
            System.clearProperty("dev.mimalloc.show.stats");
        }
    }

    @Test
    void whoWantsToSeeNoThreadStopsIt() throws Exception {
        List<Thread> keepers = new ArrayList<>();
        WeakReference<ClassLoader> loader = use(keepers, true);
        for (Thread keeper : keepers) assertThat(keeper.isAlive()).isFalse();
        assertCollected(loader);
    }

    @Test
    void aStoppedHousekeeperStartsAgainWithTheNextThread() throws Exception {
        Mimalloc.free(Mimalloc.malloc(8));
        long before = threads();
        Mimalloc.stopHousekeeper();
        Mimalloc.stopHousekeeper(); // there is none: nothing happens
        for (int i = 0; i < 3; i++) Thread.ofPlatform().start(() -> Mimalloc.malloc(8)).join();
        for (int i = 0; i < ATTEMPTS && threads() > before; i++) Thread.sleep(20);
        assertThat(threads()).isLessThanOrEqualTo(before);
    }

    private static long threads() { return Heap.main().statistics().theaps().current(); }

    /** Uses the allocator in a loader of its own, in all ways that hand something to the JDK. */
    private static WeakReference<ClassLoader> use(List<Thread> keepers, boolean stop) throws Exception {
        URL[] code = {location(ThreadSlot.class), location(Mimalloc.class)};
        List<Thread> before = keepers();
        try (URLClassLoader loader = new URLClassLoader("program", code, null)) {
            Thread self = Thread.currentThread();
            ClassLoader outer = self.getContextClassLoader();
            self.setContextClassLoader(loader);
            try {
                Class<?> program = loader.loadClass("dev.mimalloc.Mimalloc");
                assertThat(program).isNotSameAs(Mimalloc.class);
                use(program, loader.loadClass("dev.mimalloc.Arenas"));
                keepers.addAll(keepers());
                keepers.removeAll(before);
                assertThat(keepers).isNotEmpty();
                if (stop) program.getMethod("stopHousekeeper").invoke(null);
            } finally {
                self.setContextClassLoader(outer);
            }
            return new WeakReference<>(loader);
        }
    }

    private static void use(Class<?> program, Class<?> arenas) throws Exception {
        Method malloc = program.getMethod("malloc", long.class), free = program.getMethod("free", long.class);
        free.invoke(null, malloc.invoke(null, 100L));
        Thread.ofVirtual().start(() -> call(malloc, 100L)).join();
        Thread.ofPlatform().start(() -> call(malloc, 3L << 20)).join();
        for (String kind : List.of("ofConfined", "ofShared", "ofAuto")) {
            Arena arena = (Arena) arenas.getMethod(kind).invoke(null);
            arena.allocate(100, 8);
            if (!kind.equals("ofAuto")) arena.close();
        }
        program.getMethod("profile").invoke(null); // which nobody closes
        Thread.sleep(50); // the housekeeper has noticed the threads' ends
        program.getMethod("collect", boolean.class).invoke(null, true);
    }

    private static void call(Method method, long argument) {
        try {
            method.invoke(null, argument);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private static List<Thread> keepers() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals(KEEPER)).toList();
    }

    private static URL location(Class<?> type) { return type.getProtectionDomain().getCodeSource().getLocation(); }

    private static void assertCollected(WeakReference<ClassLoader> loader) throws InterruptedException {
        for (int i = 0; i < ATTEMPTS && !loader.refersTo(null); i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertThat(loader.refersTo(null)).as("the classes are unloaded").isTrue();
    }

    private static void assertEnds(Thread keeper) throws InterruptedException {
        keeper.join(60_000);
        assertThat(keeper.isAlive()).isFalse();
    }
}
