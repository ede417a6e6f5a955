import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Off-heap memory in Java: arenas for each request, long-lived segments, direct buffers, zlib's own memory. */
class OffHeap {
    static final int THREADS = 2, REQUESTS = 600_000;

    public static void main(String[] arguments) throws Exception {
        try (var pool = Executors.newFixedThreadPool(THREADS)) {
            var work = new java.util.ArrayList<Callable<Long>>();
            for (int t = 0; t < THREADS; t++) {
                int seed = t;
                work.add(() -> serve(new SplittableRandom(seed)));
            }
            long sum = 0;
            for (var result : pool.invokeAll(work)) sum = sum * 31 + result.get();
            System.out.println("requests " + THREADS * REQUESTS + " checksum " + Long.toHexString(sum));
        }
    }

    static long serve(SplittableRandom random) throws Exception {
        long sum = 0;
        var cache = new ArrayDeque<Arena>();
        var kept = new ArrayDeque<MemorySegment>();
        for (int request = 0; request < REQUESTS; request++) {
            try (var arena = Arena.ofConfined()) {
                var name = arena.allocateFrom("request " + request);
                var body = arena.allocate(random.nextInt(32, 4096), 16);
                body.fill((byte) request);
                for (int i = 0; i < 6; i++) {
                    var part = arena.allocate(random.nextInt(8, 512), 8);
                    part.set(ValueLayout.JAVA_LONG, 0, sum + i);
                    sum += part.get(ValueLayout.JAVA_LONG, 0) ^ part.byteSize();
                }
                sum = sum * 31 + name.getString(0).hashCode() + body.get(ValueLayout.JAVA_BYTE, body.byteSize() - 1);
            }
            if (request % 4 == 0) {
                var arena = Arena.ofConfined();
                var entry = arena.allocate(random.nextInt(64, 8192), 8);
                entry.set(ValueLayout.JAVA_LONG, 0, request);
                cache.add(arena);
                kept.add(entry);
                if (cache.size() > 200) {
                    sum += kept.remove().get(ValueLayout.JAVA_LONG, 0);
                    cache.remove().close();
                }
            }
            if (request % 64 == 0) sum += buffers(random, request);
        }
        cache.forEach(Arena::close);
        return sum;
    }

    /** Packs a text into a direct buffer and unpacks it again. */
    static long buffers(SplittableRandom random, int request) throws Exception {
        byte[] text = ("line " + request + '\n').repeat(random.nextInt(20, 200)).getBytes(StandardCharsets.UTF_8);
        ByteBuffer packed = ByteBuffer.allocateDirect(text.length + 64), back = ByteBuffer.allocateDirect(text.length);
        var deflater = new Deflater(1);
        deflater.setInput(text);
        deflater.finish();
        deflater.deflate(packed);
        deflater.end();
        var inflater = new Inflater();
        inflater.setInput(packed.flip());
        inflater.inflate(back);
        inflater.end();
        if (back.hasRemaining() || back.get(back.capacity() - 1) != '\n') throw new AssertionError("text differs");
        return back.capacity();
    }
}
