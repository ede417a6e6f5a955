package dev.mimalloc.services;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** The program of {@link Jvm}: holds direct memory for each client, and answers a line with a line. It needs nothing but the JDK. */
public final class JvmWork {
    private static final int CLIENTS = 4, BACKLOG = 16, SLOTS = 1024, REPLACED = 16;
    // From a cell of a structure to a buffer of Netty's; each power of two is as likely.
    private static final int LEAST_BITS = 6, MOST_BITS = 18;
    private static final JvmWork[] WORK = IntStream.range(0, CLIENTS).mapToObj(_ -> new JvmWork()).toArray(JvmWork[]::new);

    private final ByteBuffer[] buffers = new ByteBuffer[SLOTS];
    private final Arena[] arenas = new Arena[SLOTS];

    private JvmWork() {}

    /** Argument: the port. Ends well when it is asked to. */
    public static void main(String[] args) throws IOException {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
        try (var server = new ServerSocket(Integer.parseInt(args[0]), BACKLOG, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket socket = server.accept();
                Thread.ofPlatform().daemon().start(() -> answer(socket));
            }
        }
    }

    private static void answer(Socket socket) {
        try (socket;
                var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1))) {
            socket.setTcpNoDelay(true);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                socket.getOutputStream().write((obey(line.split(" ", -1)) + "\n").getBytes(StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            // Who asked is gone.
        }
    }

    private static String obey(String[] words) {
        try {
            return switch (words[0]) {
                case "ready" -> "ready";
                case "live" -> "" + live();
                case "replace" -> "" + work(words[1]).replace(new SplittableRandom(Integer.parseInt(words[2])));
                case "zip" -> "" + zip(new SplittableRandom(Integer.parseInt(words[2])));
                case "shrink" -> "" + work(words[1]).shrink();
                default -> "failed: " + words[0];
            };
        } catch (OutOfMemoryError | DataFormatException | IllegalStateException e) {
            return "failed: " + e;
        }
    }

    private static JvmWork work(String client) { return WORK[Integer.parseInt(client)]; }

    /** What the JVM holds: its heap, which is resident as a whole, its own structures and code, and direct memory. */
    private static long live() {
        var memory = ManagementFactory.getMemoryMXBean();
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream().filter(p -> p.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
        return memory.getHeapMemoryUsage().getCommitted() + memory.getNonHeapMemoryUsage().getCommitted() + direct;
    }

    /** Some blocks make place for others; a checksum of all that was in them. */
    private synchronized long replace(SplittableRandom random) {
        var checksum = new CRC32();
        for (int i = 0; i < REPLACED; i++) {
            int slot = random.nextInt(SLOTS), bits = random.nextInt(LEAST_BITS, MOST_BITS);
            remove(slot, checksum);
            buffers[slot] = make(slot, (1 << bits) + random.nextInt(1 << bits));
            fill(buffers[slot], random);
        }
        return checksum.getValue();
    }

    /** Half of all is freed when it is removed, the other half when the collector finds it. */
    @SuppressWarnings("MustBeClosedChecker")
    private ByteBuffer make(int slot, int size) {
        if (slot % 2 == 0) return ByteBuffer.allocateDirect(size);
        arenas[slot] = Arena.ofShared();
        return arenas[slot].allocate(size).asByteBuffer();
    }

    private void remove(int slot, CRC32 checksum) {
        if (buffers[slot] == null) return;
        checksum.update(buffers[slot].clear());
        buffers[slot] = null;
        if (arenas[slot] == null) return;
        arenas[slot].close();
        arenas[slot] = null;
    }

    /** Text that can be compressed, and is another one for each seed. */
    private static void fill(ByteBuffer buffer, SplittableRandom random) {
        long word = random.nextLong();
        buffer.clear();
        for (int i = 0; buffer.remaining() >= Long.BYTES; i++) buffer.putLong(i % 4 == 0 ? word += i : word);
        while (buffer.hasRemaining()) buffer.put((byte) word);
        buffer.clear();
    }

    /** Compresses and decompresses a block with objects of its own, which hold memory of zlib's. */
    private static long zip(SplittableRandom random) throws DataFormatException {
        int size = random.nextInt(1 << (LEAST_BITS + 4), 1 << (MOST_BITS - 2));
        ByteBuffer text = ByteBuffer.allocateDirect(size), packed = ByteBuffer.allocateDirect(2 * size), again = ByteBuffer.allocateDirect(size);
        fill(text, random);
        var checksum = new CRC32();
        try (var deflater = new Deflater(random.nextInt(1, 10)); var inflater = new Inflater()) {
            deflater.setInput(text.duplicate());
            deflater.finish();
            while (!deflater.finished()) deflater.deflate(packed);
            checksum.update(packed.flip().duplicate());
            inflater.setInput(packed);
            while (!inflater.finished()) inflater.inflate(again);
        }
        if (!again.flip().equals(text)) throw new IllegalStateException("decompressed is something else");
        checksum.update(again);
        return checksum.getValue();
    }

    /** Three of four blocks go; a checksum of them. */
    private synchronized long shrink() {
        var checksum = new CRC32();
        for (int slot = 0; slot < SLOTS; slot++) if (slot / 2 % 4 != 0) remove(slot, checksum);
        System.gc();
        return checksum.getValue();
    }
}
