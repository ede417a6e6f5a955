package dev.mimalloc.services;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** A connection to a service: lines and bytes, and a checksum of all that has been read. */
final class Wire implements AutoCloseable {
    // A request that takes so long has hung.
    private static final int PATIENCE_MILLIS = 60_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final CRC32 checksum = new CRC32();

    Wire(int port) throws IOException { this(port, PATIENCE_MILLIS); }

    /** For requests that take longer. */
    Wire(int port, int patienceMillis) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(patienceMillis);
        in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
    }

    Wire write(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    Wire flush() throws IOException {
        out.flush();
        return this;
    }

    /** A line, which ends with CR and LF, without these. */
    String readLine() throws IOException {
        var line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) throw new EOFException("the service has closed the connection after \"" + line + "\"");
            if (c != '\r') line.append((char) c);
            checksum.update(c);
        }
        return line.toString();
    }

    byte[] readBytes(int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) throw new EOFException("the service has closed the connection");
        checksum.update(bytes);
        return bytes;
    }

    long checksum() { return checksum.getValue(); }

    @Override
    public void close() throws IOException { socket.close(); }
}
