package dev.mimalloc.services;

import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** nginx: pages that it compresses and changes as they are asked for, directly and from behind its own proxy. */
final class Nginx implements Service {
    private static final int CLIENTS = 8, PAGES = 40;

    private static final String CONFIGURATION = """
            daemon off;
            user root;
            worker_processes 2;
            pid FOLDER/pid;
            error_log stderr warn;
            events { worker_connections 512; }
            http {
              access_log FOLDER/access;
              client_body_temp_path FOLDER/body;
              proxy_temp_path FOLDER/proxy;
              fastcgi_temp_path FOLDER/fastcgi;
              uwsgi_temp_path FOLDER/uwsgi;
              scgi_temp_path FOLDER/scgi;
              types { text/html html; }
              etag off;
              server {
                listen 127.0.0.1:PORT;
                root FOLDER/pages;
                gzip on;
                gzip_http_version 1.0;
                gzip_proxied any;
                ssi on;
                location /proxy/ { proxy_pass http://127.0.0.1:PORT/; proxy_set_header Accept-Encoding ""; }
              }
            }
            """;

    @Override
    public String name() { return "nginx"; }

    @Override
    public String title() { return "nginx: pages with includes, compressed, half of them through a proxy"; }

    @Override
    public List<String> packages() { return List.of("nginx"); }

    @Override
    public List<String> command(Place place) throws IOException {
        Path pages = Files.createDirectories(place.folder().resolve("pages"));
        var random = new SplittableRandom(1);
        Files.writeString(pages.resolve("part.html"), text(random, 2_000));
        for (int i = 0; i < PAGES; i++) {
            Files.writeString(pages.resolve(i + ".html"), text(random, 1_000 + i * 4_000)
                    + "<!--#include virtual=\"/part.html\" -->".repeat(i % 4));
        }
        String folder = place.folder().toString();
        Path configuration = place.folder().resolve("nginx.conf");
        String user = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0) ? "user root;" : "";
        Files.writeString(configuration, CONFIGURATION.replace("user root;", user).replace("FOLDER", folder)
                .replace("PORT", "" + place.port()));
        return List.of(place.program("usr/sbin/nginx"), "-p", folder, "-c", configuration.toString());
    }

    private static String text(SplittableRandom random, int length) {
        var text = new StringBuilder();
        while (text.length() < length) text.append("word").append(random.nextInt(5_000)).append(' ');
        return text.toString();
    }

    @Override
    public boolean isReady(Place place) throws IOException {
        try (var wire = new Wire(place.port())) {
            get(wire, "/part.html");
            return true;
        }
    }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        int requests = (place.quick() ? 4_000 : 40_000) / CLIENTS;
        return "" + load.clients("requests", CLIENTS, (_, random) -> {
            long checksum = 0;
            for (int i = 0; i < requests;) {
                try (var wire = new Wire(place.port())) {
                    for (int end = i + random.nextInt(1, 50); i < end; i++) {
                        String page = (random.nextBoolean() ? "/proxy/" : "/") + random.nextInt(PAGES) + ".html";
                        long start = System.nanoTime();
                        checksum = 31 * checksum + get(wire, page);
                        load.took(System.nanoTime() - start);
                    }
                }
            }
            return checksum;
        });
    }

    /** The bytes of a page as they came; the head has the time. */
    private static long get(Wire wire, String page) throws IOException {
        wire.write("GET " + page + " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n").flush();
        String status = wire.readLine();
        if (!status.equals("HTTP/1.1 200 OK")) throw new Failed("nginx answers " + status);
        int length = -1;
        for (String line = wire.readLine(); !line.isEmpty(); line = wire.readLine()) {
            if (line.startsWith("Content-Length: ")) length = Integer.parseInt(line.substring(16));
        }
        if (length >= 0) return sum(wire.readBytes(length), 0);
        long sum = 0;
        for (int size = -1; size != 0;) {
            size = Integer.parseInt(wire.readLine(), 16);
            sum = sum(wire.readBytes(size), sum);
            wire.readLine();
        }
        return sum;
    }

    // The pieces that a page comes in do not matter.
    private static long sum(byte[] bytes, long start) {
        long sum = start;
        for (byte b : bytes) sum = 31 * sum + b;
        return sum;
    }
}
