package dev.mimalloc.profile;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/** The formats of profiles: pprof's {@code profile.proto}, and collapsed stacks. */
public final class ProfileWriter {
    /** Fields of profile.proto's messages. */
    private static final int SAMPLE_TYPE = 1, SAMPLE = 2, LOCATION = 4, FUNCTION = 5, STRING_TABLE = 6, TIME_NANOS = 9,
            DURATION_NANOS = 10, PERIOD_TYPE = 11, PERIOD = 12, DEFAULT_SAMPLE_TYPE = 14;
    private static final int TYPE = 1, UNIT = 2; // of a value type
    private static final int LOCATION_ID = 1, VALUE = 2; // of a sample
    private static final int ID = 1; // of locations and functions
    private static final int LINE = 4, LINE_FUNCTION = 1, LINE_NUMBER = 2; // of a location
    private static final int NAME = 2, SYSTEM_NAME = 3, FILE_NAME = 4; // of a function

    private final ProtoWriter profile = new ProtoWriter();
    private final Map<String, Long> texts = new LinkedHashMap<>(Map.of("", 0L));
    private final Map<Frame, Long> locations = new HashMap<>();
    private final Map<String, Long> functions = new HashMap<>();

    private ProfileWriter() {}

    /**
     * Writes a profile as pprof reads it.
     *
     * @param time when the profile began, in nanoseconds since 1970
     * @param duration for how many nanoseconds it has lasted
     */
    public static void pprof(OutputStream out, StackSampler sampler, long time, long duration) throws IOException {
        ProtoWriter message = new ProfileWriter().message(sampler, time, duration);
        GZIPOutputStream zip = new GZIPOutputStream(out);
        message.writeTo(zip);
        zip.finish();
        out.flush();
    }

    private ProtoWriter message(StackSampler sampler, long time, long duration) {
        profile.message(SAMPLE_TYPE, type("alloc_objects", "count"));
        profile.message(SAMPLE_TYPE, type("alloc_space", "bytes"));
        profile.message(SAMPLE_TYPE, type("inuse_objects", "count"));
        profile.message(SAMPLE_TYPE, type("inuse_space", "bytes"));
        for (CountedStack stack : sampler.stacks()) {
            ProtoWriter sample = new ProtoWriter();
            Frame[] frames = framesOf(stack);
            long[] ids = new long[frames.length];
            for (int i = 0; i < ids.length; i++) ids[i] = location(frames[i]);
            sample.packed(LOCATION_ID, ids);
            sample.packed(VALUE, stack.counts());
            profile.message(SAMPLE, sample);
        }
        profile.number(TIME_NANOS, time);
        profile.number(DURATION_NANOS, duration);
        profile.message(PERIOD_TYPE, type("space", "bytes"));
        profile.number(PERIOD, sampler.interval());
        profile.number(DEFAULT_SAMPLE_TYPE, text("inuse_space"));
        texts.keySet().forEach(text -> profile.text(STRING_TABLE, text));
        return profile;
    }

    private ProtoWriter type(String type, String unit) {
        ProtoWriter value = new ProtoWriter();
        value.number(TYPE, text(type));
        value.number(UNIT, text(unit));
        return value;
    }

    private long text(String text) { return texts.computeIfAbsent(text, _ -> (long) texts.size()); }

    private long location(Frame frame) {
        Long known = locations.get(frame);
        if (known != null) return known;
        long id = locations.size() + 1L;
        locations.put(frame, id);
        ProtoWriter line = new ProtoWriter();
        line.number(LINE_FUNCTION, function(frame));
        line.number(LINE_NUMBER, frame.line());
        ProtoWriter location = new ProtoWriter();
        location.number(ID, id);
        location.message(LINE, line);
        profile.message(LOCATION, location);
        return id;
    }

    private long function(Frame frame) {
        Long known = functions.get(frame.name());
        if (known != null) return known;
        long id = functions.size() + 1L;
        functions.put(frame.name(), id);
        ProtoWriter function = new ProtoWriter();
        function.number(ID, id);
        function.number(NAME, text(frame.name()));
        function.number(SYSTEM_NAME, text(frame.name()));
        function.number(FILE_NAME, text(frame.path()));
        profile.message(FUNCTION, function);
        return id;
    }

    /** Writes the bytes in use of each stack, the outermost frame first: what flame graphs are made of. */
    public static void collapsed(OutputStream out, StackSampler sampler) throws IOException {
        Map<String, Long> bytes = new TreeMap<>(); // stacks that differ in lines only are one
        for (CountedStack stack : sampler.stacks()) {
            long inUse = stack.counts()[CountedStack.INUSE_SPACE];
            if (inUse == 0) continue;
            List<String> names = new ArrayList<>();
            for (Frame frame : framesOf(stack)) names.add(frame.name());
            bytes.merge(String.join(";", names.reversed()), inUse, Long::sum);
        }
        var text = new StringBuilder();
        bytes.forEach((stack, inUse) -> text.append(stack).append(' ').append(inUse).append('\n'));
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    /** A stack of the allocator's own frames only, as its housekeeper's, has one that says so. */
    private static Frame[] framesOf(CountedStack stack) {
        return stack.frames().length > 0 ? stack.frames() : new Frame[] {Frame.named("[mimalloc]")};
    }
}
