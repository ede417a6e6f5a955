package dev.mimalloc.services;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** A small service, of which each run gets one line. */
record Echo(String line, int exit) implements Service {
    @Override
    public String name() { return "echo"; }

    @Override
    public String title() { return "Echo"; }

    @Override
    public List<String> packages() { return List.of(); }

    @Override
    public void prepare(Place place) throws IOException {
        try (var script = Echo.class.getResourceAsStream("echo.py")) {
            Files.write(place.folder().resolve("echo.py"), script.readAllBytes());
        }
    }

    @Override
    public List<String> command(Place place) {
        return List.of("/usr/bin/python3", place.folder().resolve("echo.py").toString(), "" + place.port(), "" + exit);
    }

    private static String ask(Place place, String line) throws IOException {
        try (var wire = new Wire(place.port())) {
            return wire.write(line + "\n").flush().readLine();
        }
    }

    @Override
    public boolean isReady(Place place) throws IOException { return ask(place, "ready").equals("ready"); }

    @Override
    public OptionalLong live(Place place) { return OptionalLong.of(1024); }

    @Override
    public String load(Place place, Load load) throws IOException, InterruptedException {
        return "" + load.phase("ask", () -> {
            long start = System.nanoTime();
            String answer = ask(place, line);
            load.took(System.nanoTime() - start);
            return answer;
        });
    }

    /** A folder for runs, with what they begin with in {@code prepared}. */
    static Path prepared(Path folder) throws IOException {
        Path prepared = Files.createDirectory(folder.resolve("prepared"));
        new Echo("", 0).prepare(Place.of(folder, prepared, true, 1));
        return prepared;
    }
}
