package dev.mimalloc.micrometer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a Prometheus endpoint says, read by the text format's grammar.
 *
 * @param help of each metric
 * @param type of each metric
 * @param values of each sample, by its name and labels as they are written
 */
record Scrape(Map<String, String> help, Map<String, String> type, Map<String, Double> values) {
    private static final Pattern COMMENT = Pattern.compile("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    private static final Pattern SAMPLE = Pattern.compile(
            "([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(?:[a-zA-Z_]\\w*=\"[^\"]*\",?)*})? (NaN|[-+0-9.eE]+)");

    static Scrape of(URI endpoint) throws IOException {
        String text;
        try (InputStream body = endpoint.toURL().openStream()) {
            text = new String(body.readAllBytes(), UTF_8);
        }
        var scrape = new Scrape(new HashMap<>(), new HashMap<>(), new HashMap<>());
        text.lines().forEach(scrape::read);
        return scrape;
    }

    private void read(String line) {
        Matcher comment = COMMENT.matcher(line);
        Matcher sample = SAMPLE.matcher(line);
        if (comment.matches()) {
            Map<String, String> target = comment.group(1).equals("HELP") ? help : type;
            if (target.put(comment.group(2), comment.group(3)) != null) throw new AssertionError("twice: " + line);
        } else if (sample.matches()) {
            String labels = sample.group(2) == null ? "" : sample.group(2);
            Double before = values.put(sample.group(1) + labels, Double.valueOf(sample.group(3)));
            if (before != null) throw new AssertionError("twice: " + line);
        } else {
            throw new AssertionError("not the text format: " + line);
        }
    }

    double value(String sample) {
        Double value = values.get(sample);
        if (value == null) throw new AssertionError("no " + sample + " in " + values.keySet());
        return value;
    }
}
