package dev.mimalloc;

/** Allocates, and says whether there is a flight recorder; for {@link FlightRecorderTest}. */
final class WithoutFlightRecorder {
    private WithoutFlightRecorder() {}

    public static void main(String[] args) {
        try (Heap heap = Heap.create()) {
            for (int i = 0; i < 10_000; i++) {
                heap.malloc(i);
                Mimalloc.free(Mimalloc.malloc(i));
            }
        }
        System.out.println(ModuleLayer.boot().findModule("jdk.jfr").isPresent() ? "with" : "without");
    }
}
