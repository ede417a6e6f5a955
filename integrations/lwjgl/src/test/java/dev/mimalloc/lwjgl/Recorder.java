package dev.mimalloc.lwjgl;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/** LWJGL's debug stream, for the tests to read. LWJGL makes one, by its name. */
public final class Recorder implements Supplier<PrintStream> {
    private static final ByteArrayOutputStream BYTES = new ByteArrayOutputStream();

    /** For LWJGL. */
    public Recorder() {}

    @Override
    public PrintStream get() { return new PrintStream(BYTES, true, StandardCharsets.UTF_8); }

    /** What was printed since this was last asked. */
    static String take() {
        synchronized (BYTES) {
            String text = BYTES.toString(StandardCharsets.UTF_8);
            BYTES.reset();
            return text;
        }
    }
}
