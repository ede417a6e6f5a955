package dev.mimalloc.tools.view;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * A page with graphs, and the same as text for Prometheus. It listens at the loopback address only; and it answers only
 * who calls it by that address or name, so that no page from elsewhere can read it through the user's browser.
 */
final class LiveServer implements AutoCloseable {
    private final HttpServer server;
    /** The moments of five minutes. */
    private static final int MOST = 300;

    private final Supplier<Map<Long, LiveStatistics>> statistics;
    private final Supplier<Map<Long, String>> names;
    /** By process: a time in milliseconds, and the values behind it. */
    private final Map<Long, List<List<Double>>> moments = new TreeMap<>();
    private final Map<Long, LiveStatistics> latest = new TreeMap<>();

    /** @param port 0 for any that is free */
    LiveServer(int port, Supplier<Map<Long, LiveStatistics>> statistics, Supplier<Map<Long, String>> names) throws IOException {
        this.statistics = statistics;
        this.names = names;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    /** Keeps what there is just now; to be called once a second. */
    synchronized void keep() {
        latest.clear();
        latest.putAll(statistics.get());
        latest.forEach((pid, now) -> {
            var moment = new ArrayList<>(List.of((double) System.currentTimeMillis()));
            moment.addAll(now.values().values());
            List<List<Double>> all = moments.computeIfAbsent(pid, p -> new ArrayList<>());
            all.add(moment);
            if (all.size() > MOST) all.removeFirst();
        });
    }

    int port() { return server.getAddress().getPort(); }

    @Override
    public void close() { server.stop(0); }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String host = exchange.getRequestHeaders().getFirst("Host");
            boolean own = host != null && host.matches("(127\\.0\\.0\\.1|localhost)(:\\d+)?");
            if (!own || !exchange.getRequestMethod().equals("GET")) send(exchange, 403, "text/plain", "for this machine only\n");
            else switch (exchange.getRequestURI().getPath()) {
                case "/" -> send(exchange, 200, "text/html", HeapMap.resource("top.html").replace("/*STYLE*/", HeapMap.resource("map.css")).replace("/*DATA*/{}", data().replace("<", "\\u003c"))
                        .replace("/*SCRIPT*/", HeapMap.resource("top.js")));
                case "/data" -> send(exchange, 200, "application/json", data());
                case "/metrics" -> send(exchange, 200, "text/plain; version=0.0.4", LiveStatistics.prometheus(statistics.get(), names.get()));
                default -> send(exchange, 404, "text/plain", "nothing here\n");
            }
        }
    }

    private synchronized String data() {
        var all = new TreeMap<Long, Object>();
        Map<Long, String> known = names.get();
        latest.forEach((pid, now) -> all.put(pid, Map.of("program", known.getOrDefault(pid, ""), "names", now.values().keySet(), "moments", moments.get(pid),
                "sizes", now.bySize())));
        return JsonMapper.shared().writeValueAsString(all);
    }

    private static void send(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type + (type.contains(";") ? "" : "; charset=utf-8"));
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
