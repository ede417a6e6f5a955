package dev.mimalloc.examples;

import dev.mimalloc.Heap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A heap for each request: whatever the request allocates, in whichever thread, ends with it, and one that wants too
 * much fails alone.
 */
public final class HeapPerRequest {
    private static final long LIMIT = 16 << 20;

    private HeapPerRequest() {}

    /** Counts the words of a text in a table outside the Java heap; nothing is freed one by one. */
    private static long handle(int request, int words) {
        try (Heap heap = Heap.create()) {
            heap.limit(LIMIT);
            long distinct = 0;
            MemorySegment table = heap.allocate(8L * 4096, 8);
            for (int i = 0; i < words; i++) {
                MemorySegment word = heap.allocateFrom("word " + (i * 31L + request) % 5000);
                long slot = 8L * (word.getString(0).hashCode() & 4095);
                if (table.get(ValueLayout.JAVA_LONG, slot) == 0) distinct++;
                table.set(ValueLayout.JAVA_LONG, slot, word.address());
            }
            return distinct;
        } catch (OutOfMemoryError e) {
            System.out.printf("request %d is refused: %s%n", request, e.getMessage());
            return -1;
        }
    }

    /** Serves a hundred requests, one of which is too large. */
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        List<Future<Long>> answers = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 100; i++) {
                int request = i;
                answers.add(executor.submit(() -> handle(request, request == 42 ? 2_000_000 : 1000)));
            }
        }
        long served = 0;
        for (Future<Long> answer : answers) if (answer.get() >= 0) served++;
        System.out.printf("%d requests were served, and all their memory is free again%n", served);
    }
}
