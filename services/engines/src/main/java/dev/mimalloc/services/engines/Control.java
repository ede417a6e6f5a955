package dev.mimalloc.services.engines;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Takes commands from a port of the loopback, a line each, and answers each with a line. */
final class Control {
    private static final int BACKLOG = 16;

    private Control() {}

    /** What is done for a line's words; who asks gets what it returns, or {@code failed} and why. */
    interface Commands {
        String obey(String[] words) throws Exception;
    }

    /** What has to end before the process does. */
    interface Ending {
        void end() throws Exception;
    }

    /** Serves until the process is asked to end, which then ends well, unless its parts do not. */
    static void serve(int port, Commands commands, Ending ending) throws IOException {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                ending.end();
            } catch (Exception e) {
                e.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
            Runtime.getRuntime().halt(0); // a signal's exit code would look like a failure
        }));
        try (var server = new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket socket = server.accept();
                Thread.ofPlatform().daemon().start(() -> answer(socket, commands));
            }
        }
    }

    private static void answer(Socket socket, Commands commands) {
        try (socket;
                var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1))) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.write((obey(line, commands) + "\n").getBytes(StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            // Who asked is gone.
        }
    }

    private static String obey(String line, Commands commands) {
        try {
            return commands.obey(line.split(" ", -1));
        } catch (Exception e) {
            e.printStackTrace();
            return "failed: " + e.toString().replace('\n', ' ');
        }
    }
}
