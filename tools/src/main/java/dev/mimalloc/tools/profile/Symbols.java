package dev.mimalloc.tools.profile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The names of functions in programs and libraries (ELF), and where they are in the sources: by LLVM's tool, or else by that
 * of binutils, which gives an inlined function of C++ the name of the one around it.
 */
final class Symbols {
    private static final List<List<String>> TOOLS = List.of(List.of("llvm-symbolizer", "--output-style=GNU"), List.of("addr2line"));
    private static final int PT_LOAD = 1;
    private static final int EI_CLASS = 4;
    private static final int EI_DATA = 5;
    private static final Pattern PLACE = Pattern.compile("(.*):(\\d+|\\?)( \\(discriminator \\d+\\))?");

    private Symbols() {}

    /** The frames at places in a file, by the keys of these; where no name is to be had it is the file's with the place. */
    static Map<Long, List<Frame>> of(Path file, Map<Long, Long> places) throws IOException {
        Map<Long, List<Frame>> all = new HashMap<>();
        var keys = new ArrayList<>(places.keySet());
        for (long key : keys) all.put(key, List.of(new Frame(file.getFileName() + "+0x" + Long.toHexString(places.get(key)), "", 0)));
        if (!file.isAbsolute() || !Files.isReadable(file)) return all;
        List<long[]> segments = segments(file);
        var addresses = new StringBuilder();
        for (long key : keys) addresses.append("0x").append(Long.toHexString(address(segments, places.get(key)))).append('\n');
        List<List<Frame>> named = ask(file, addresses.toString());
        for (int i = 0; i < named.size() && i < keys.size(); i++) {
            if (!named.get(i).isEmpty()) all.put(keys.get(i), named.get(i));
        }
        return all;
    }

    /** Of the segments that are loaded: offset, size in the file, address. */
    private static List<long[]> segments(Path file) throws IOException {
        var segments = new ArrayList<long[]>();
        try (FileChannel in = FileChannel.open(file)) {
            ByteBuffer head = ByteBuffer.allocate(64);
            in.read(head, 0);
            if (head.position() < 64 || head.getInt(0) != 0x7F454C46) return segments;
            boolean wide = head.get(EI_CLASS) == 2;
            ByteOrder order = head.get(EI_DATA) == 1 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
            head.order(order);
            long table = wide ? head.getLong(0x20) : head.getInt(0x1C);
            int size = head.getShort(wide ? 0x36 : 0x2A), count = head.getShort(wide ? 0x38 : 0x2C);
            ByteBuffer entries = ByteBuffer.allocate(size * count).order(order);
            in.read(entries, table);
            for (int at = 0; at + size <= entries.position(); at += size) {
                if (entries.getInt(at) != PT_LOAD) continue;
                segments.add(wide ? new long[] {entries.getLong(at + 0x08), entries.getLong(at + 0x20), entries.getLong(at + 0x10)}
                        : new long[] {entries.getInt(at + 0x04), entries.getInt(at + 0x10), entries.getInt(at + 0x08)});
            }
        }
        return segments;
    }

    private static long address(List<long[]> segments, long place) {
        for (long[] segment : segments) {
            if (place >= segment[0] && place - segment[0] < segment[1]) return place - segment[0] + segment[2];
        }
        return place;
    }

    /** The tool's answer: each address on a line, and behind it two lines for each function there, inlined ones first. */
    private static List<List<Frame>> ask(Path file, String addresses) throws IOException {
        var all = new ArrayList<List<Frame>>();
        Path input = Files.createTempFile("addresses", ".txt"), output = Files.createTempFile("names", ".txt");
        try {
            Files.writeString(input, addresses);
            for (List<String> tool : TOOLS) {
                var command = new ArrayList<>(tool);
                command.addAll(List.of("-a", "-C", "-f", "-i", "-e", file.toString()));
                if (runs(new ProcessBuilder(command).redirectInput(input.toFile()).redirectOutput(output.toFile()))) break;
            }
            List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
            for (int i = 0; i < lines.size();) {
                var frames = new ArrayList<Frame>();
                for (i++; i + 1 < lines.size() && !lines.get(i).startsWith("0x"); i += 2) add(frames, lines.get(i), lines.get(i + 1));
                all.add(frames);
            }
        } finally {
            Files.delete(input);
            Files.delete(output);
        }
        return all;
    }

    private static boolean runs(ProcessBuilder builder) {
        try {
            return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start().onExit().join().exitValue() == 0;
        } catch (IOException _) {
            return false; // the tool is not there
        }
    }

    private static void add(List<Frame> frames, String function, String place) {
        if (function.equals("??")) return;
        var source = PLACE.matcher(place);
        boolean known = source.matches() && !source.group(1).equals("??");
        frames.add(new Frame(function, known ? source.group(1) : "", known && !source.group(2).equals("?") ? Long.parseLong(source.group(2)) : 0));
    }
}
