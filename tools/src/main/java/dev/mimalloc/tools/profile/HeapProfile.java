package dev.mimalloc.tools.profile;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * A profile in pprof's format with names for its addresses, as native programs and the JVM write it. Numbers of fields are
 * those of {@code profile.proto}.
 *
 * @param types what the values of a sample are, as {@code inuse_space}
 */
public record HeapProfile(List<String> types, List<Sample> samples) {
    /** A stack, the innermost call first, and its values. */
    public record Sample(List<Frame> stack, List<Long> values) {}

    private record Mapping(long start, long offset, String file) {}

    /** The types' position; an error tells which ones there are. */
    public int indexOf(String type) throws IOException {
        int index = types.indexOf(type);
        if (index < 0) throw new IOException("the profile has no " + type + " but " + String.join(", ", types));
        return index;
    }

    /** Reads a file, and looks for the names of addresses that have none in the files which these are of. */
    public static HeapProfile read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length > 1 && bytes[0] == 0x1F && bytes[1] == (byte) 0x8B) {
            try (var in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
                bytes = in.readAllBytes();
            }
        }
        var profile = new Message(bytes);
        List<String> texts = profile.parts(6).stream().map(text -> new String(text, StandardCharsets.UTF_8)).toList();
        Map<Long, List<Frame>> locations = locations(profile, texts);
        String dropped = texts.isEmpty() ? "" : texts.get((int) profile.number(7));
        Pattern drop = dropped.isEmpty() ? null : Pattern.compile(dropped);
        // Addresses may differ where names do not, as in a loop that was unrolled.
        var samples = new LinkedHashMap<List<Frame>, List<Long>>();
        for (Message sample : profile.messages(2)) {
            var stack = new ArrayList<Frame>();
            for (long id : sample.numbers(1)) stack.addAll(locations.getOrDefault(id, List.of()));
            int first = stack.size();
            while (first > 0 && (drop == null || !drop.matcher(stack.get(first - 1).function()).matches())) first--;
            // A stack of nothing else stays.
            if (first == stack.size()) first = 0;
            samples.merge(List.copyOf(stack.subList(first, stack.size())), sample.numbers(2), HeapProfile::sum);
        }
        var types = new ArrayList<String>();
        for (Message type : profile.messages(1)) types.add(texts.get((int) type.number(1)));
        return new HeapProfile(types, samples.entrySet().stream().map(entry -> new Sample(entry.getKey(), entry.getValue())).toList());
    }

    private static List<Long> sum(List<Long> some, List<Long> others) {
        return IntStream.range(0, some.size()).mapToObj(i -> some.get(i) + others.get(i)).toList();
    }

    /** What is called at each location, the innermost of inlined functions first. */
    private static Map<Long, List<Frame>> locations(Message profile, List<String> texts) throws IOException {
        Map<Long, Message> functions = new HashMap<>();
        for (Message function : profile.messages(5)) functions.put(function.number(1), function);
        Map<Long, Mapping> mappings = new HashMap<>();
        for (Message mapping : profile.messages(3)) {
            mappings.put(mapping.number(1), new Mapping(mapping.number(2), mapping.number(4), texts.get((int) mapping.number(5))));
        }
        Map<Long, List<Frame>> locations = new HashMap<>();
        Map<String, Map<Long, Long>> unnamed = new HashMap<>(); // of each file: the place in it by the location
        for (Message location : profile.messages(4)) {
            long id = location.number(1), address = location.number(3);
            var frames = new ArrayList<Frame>();
            for (Message line : location.messages(4)) {
                Message function = functions.get(line.number(1));
                frames.add(new Frame(texts.get((int) function.number(2)), texts.get((int) function.number(4)), line.number(2)));
            }
            Mapping mapping = mappings.get(location.number(2));
            if (frames.isEmpty()) frames.add(new Frame("0x" + Long.toHexString(address), "", 0));
            if (mapping != null && location.parts(4).isEmpty()) {
                unnamed.computeIfAbsent(mapping.file, _ -> new HashMap<>()).put(id, address - mapping.start + mapping.offset);
            }
            locations.put(id, frames);
        }
        for (var file : unnamed.entrySet()) locations.putAll(Symbols.of(Path.of(file.getKey()), file.getValue()));
        return locations;
    }
}
