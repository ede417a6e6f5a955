package dev.mimalloc.examples;

import dev.mimalloc.Mimalloc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;

/** Finds a leak with a flight recording: the sampled allocations that were never freed. */
public final class LeakHunt {
    private static final List<Long> CACHE = new ArrayList<>();

    public static void main(String[] args) throws IOException {
        Mimalloc.free(Mimalloc.malloc(1)); // the allocator's events are there from its first use on
        Path file = Files.createTempFile("leak", ".jfr");
        try (Recording recording = new Recording()) {
            recording.start();
            for (int i = 0; i < 1_000_000; i++) handleRequest(i);
            recording.stop();
            recording.dump(file);
        }
        Map<Long, RecordedEvent> live = new HashMap<>();
        List<RecordedEvent> events = new ArrayList<>(RecordingFile.readAllEvents(file));
        events.sort((a, b) -> a.getStartTime().compareTo(b.getStartTime()));
        for (RecordedEvent event : events) {
            switch (event.getEventType().getName()) {
                case "dev.mimalloc.Allocation" -> live.put(event.getLong("address"), event);
                case "dev.mimalloc.Free" -> live.remove(event.getLong("address"));
                default -> {}
            }
        }
        Map<String, Long> bytes = new HashMap<>();
        live.values().forEach(event -> bytes.merge(stack(event), event.getLong("weight"), Long::sum));
        bytes.forEach((stack, sum) -> System.out.printf("about %d MiB not freed, of%s%n", sum >> 20, stack));
        Files.delete(file);
    }

    private static void handleRequest(int i) {
        long request = Mimalloc.malloc(100);
        if (i % 10 == 0) remember();
        Mimalloc.free(request);
    }

    private static void remember() { CACHE.add(Mimalloc.malloc(1000)); } // who will ever free it?

    private static String stack(RecordedEvent event) {
        return event.getStackTrace().getFrames().stream().map(RecordedFrame::getMethod)
                .map(method -> "\n  " + method.getType().getName() + "." + method.getName())
                .collect(Collectors.joining());
    }
}
