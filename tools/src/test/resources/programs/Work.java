import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** A Java program for an old and a new JDK: garbage, threads, direct buffers, zlib, files and child processes. */
class Work {
    public static void main(String[] arguments) throws Exception {
        var pool = Executors.newFixedThreadPool(8);
        var jobs = new ArrayList<Callable<Long>>();
        for (int i = 0; i < 24; i++) {
            int seed = i % 8;
            jobs.add(() -> job(seed));
        }
        var results = new long[8];
        int index = 0;
        for (var result : pool.invokeAll(jobs)) {
            long value = result.get();
            if (index >= 8 && results[index % 8] != value) throw new AssertionError("a job's result changed");
            results[index++ % 8] = value;
        }
        pool.shutdown();
        for (int i = 0; i < 500; i++) {  // threads that come and go
            var thread = new Thread(() -> ByteBuffer.allocateDirect(5000).put(0, (byte) 1));
            thread.start();
            thread.join();
        }
        var echo = new ProcessBuilder("echo", "child").start();
        var said = new String(echo.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        System.out.println("java " + Long.toHexString(Arrays.hashCode(results)) + " " + said);
    }

    static long job(int seed) throws Exception {
        var random = new Random(seed);
        var crc = new CRC32();
        var cleaner = Cleaner.create();
        var live = new HashMap<Integer, byte[]>();
        var file = Files.createTempFile("work", ".bin");
        for (int i = 0; i < 400; i++) {
            var text = new StringBuilder();
            for (int k = 0; k < 300; k++) text.append(random.nextInt(1000)).append(' ');
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            live.put(random.nextInt(200), bytes);
            cleaner.register(new Object(), () -> {});

            var packed = ByteBuffer.allocateDirect(bytes.length + 64);
            var deflater = new Deflater();
            deflater.setInput(bytes);
            deflater.finish();
            deflater.deflate(packed);
            deflater.end();
            packed.flip();
            var back = ByteBuffer.allocateDirect(bytes.length);
            var inflater = new Inflater();
            inflater.setInput(packed);
            inflater.inflate(back);
            inflater.end();
            back.flip();
            var unpacked = new byte[bytes.length];
            back.get(unpacked);
            if (!Arrays.equals(bytes, unpacked)) throw new AssertionError("unpacked text differs");
            crc.update(unpacked);
            if (i % 40 == 0) Files.write(file, live.values().iterator().next());
        }
        Files.delete(file);
        return crc.getValue();
    }
}
