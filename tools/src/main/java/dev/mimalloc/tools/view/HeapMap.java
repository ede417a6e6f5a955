package dev.mimalloc.tools.view;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Draws a dump: what the resident memory is for, and each slice of each arena where it lies. A page is as light as its
 * size class and filled as far as its blocks are live. Rows that have no memory are left out.
 */
final class HeapMap {
    private static final int WIDTH = 1080;
    private static final int LEFT = 104;
    private static final int ROW = 15;
    private static final int ROW_SLICES = 64;
    private static final double CELL = (WIDTH - LEFT - 8.0) / ROW_SLICES;
    /** So many rows are drawn at most; in larger heaps one has more slices. */
    private static final int ROWS_MAX = 120;
    /** The upper bounds of the colours' block sizes: the last one has a page for each block. */
    private static final long[] COLOURS = {64, 256, 1 << 10, 8 << 10, 80 << 10, Long.MAX_VALUE};
    private static final List<String> COLOUR_NAMES = List.of("to 64 B", "to 256 B", "to 1 KiB", "to 8 KiB", "to 80 KiB", "larger");
    private static final int OWNERS = 8;

    /** Of a dump that does not say what is resident. */
    static final String ESTIMATED = "Estimated, as the dump does not say what is in memory: pages as far as blocks were given out, "
            + "all that waits, no meta-data.";

    private final HeapDump dump;
    private final long processResident;
    private final StringBuilder svg = new StringBuilder();
    private final List<Long> owners;
    private final int perRow;

    /** @param processResident of the whole process, 0 if it is not known */
    HeapMap(HeapDump dump, long processResident) {
        this.dump = dump;
        this.processResident = processResident;
        var ids = new TreeSet<Long>();
        dump.pages().forEach(page -> ids.add(page.owner()));
        ids.remove(0L);
        owners = new ArrayList<>(ids);
        int rows = ROW_SLICES;
        while (dump.arenas().stream().mapToInt(this::used).sum() / rows > ROWS_MAX) rows *= 2;
        perRow = rows;
    }

    /** The picture alone. */
    String svg() { return draw(true); }

    /** A page of its own, with nothing from elsewhere, that zooms and explains. */
    String html() {
        return resource("map.html").replace("/*STYLE*/", resource("map.css")).replace("/*SCRIPT*/", resource("map.js"))
                .replace("<!--TITLE-->", title()).replace("<!--FIGURE-->", figure()).replace("<!--CLASSES-->", classes())
                .replace("<!--RESIDENT-->", resident()).replace("<!--MAP-->", draw(false));
    }

    private String title() { return "Heap of process " + dump.process(); }

    static String resource(String name) {
        try (var stream = HeapMap.class.getResourceAsStream(name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String bytes(long bytes) {
        double value = (double) bytes;
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        for (; Math.abs(value) >= 1024 && unit < units.length - 1; unit++) value /= 1024;
        return String.format(Locale.ROOT, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    }

    private static String percent(long part, long whole) { return String.format(Locale.ROOT, "%.1f %%", 100.0 * part / Math.max(1, whole)); }

    /** The parts of the resident memory: what colours them, their names, and what they are. */
    private record Part(String style, String name, String what, long bytes) {}

    private static List<Part> list(HeapDump.Parts parts) {
        return List.of(new Part("live", "live blocks", "what the program has", parts.live()),
                new Part("free", "free blocks", "in used pages: freed, for the next allocations of that size", parts.free()),
                new Part("ends", "page ends", "not given out yet, or too short for a block", parts.ends()),
                new Part("waits", "waiting", "free slices that are to go back to the system soon", parts.waiting()),
                new Part("idle", "kept", "other free slices that have memory", parts.idle()),
                new Part("meta", "meta-data", "the allocator's own", parts.metadata()));
    }

    private String figure() {
        HeapDump.Parts parts = dump.parts();
        var text = new StringBuilder("<svg class=\"figure\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\">");
        bar(text, parts, 100.0 / Math.max(1, parts.total()), 10);
        text.append("</svg><table class=\"parts\"><tbody>");
        for (Part part : list(parts)) {
            text.append("<tr title=\"%s\"><td><i class=\"k %s\"></i>%s</td><td>%s</td><td>%s</td></tr>".formatted(
                    part.what, part.style, part.name, bytes(part.bytes), percent(part.bytes, parts.total())));
        }
        text.append("<tr class=\"sum\"><td>%s</td><td data-total=\"%d\">%s</td><td></td></tr>".formatted(resident(), parts.total(), bytes(parts.total())));
        if (processResident > 0) {
            text.append("<tr><td>whole process, by the system</td><td>%s</td><td></td></tr>".formatted(bytes(processResident)));
        }
        text.append("</tbody></table>");
        if (dump.estimated()) text.append("<p class=\"note\">").append(ESTIMATED).append("</p>");
        if (!dump.complete()) text.append("<p class=\"note\">A lock could not be had: blocks with a mapping of their own are missing.</p>");
        return text.toString();
    }

    /** What bytes are, as far as that is known. */
    String resident() { return dump.estimated() ? "estimated" : "resident"; }

    private static int colour(long blockSize) {
        int colour = 0;
        while (blockSize > COLOURS[colour]) colour++;
        return colour;
    }

    /** Pages of one size as a group; those of a single block are one group. */
    private static long group(HeapDump.Page page) { return page.state().equals("single") ? Long.MAX_VALUE : page.blockSize(); }

    private String classes() {
        Map<Long, List<HeapDump.Page>> groups = new TreeMap<>();
        dump.pages().forEach(page -> groups.computeIfAbsent(group(page), g -> new ArrayList<>()).add(page));
        var text = new StringBuilder();
        long most = groups.values().stream().mapToLong(pages -> dump.parts(pages, false).total()).max().orElse(1);
        groups.forEach((size, pages) -> {
            HeapDump.Parts parts = dump.parts(pages, false);
            long blocks = pages.stream().mapToLong(HeapDump.Page::live).sum();
            text.append("<tr data-size=\"%d\" tabindex=\"0\"><td><i class=\"k c%d\"></i>%s</td><td>%,d</td><td>%,d</td>".formatted(size,
                    colour(size), size == Long.MAX_VALUE ? "one a page" : bytes(size), pages.size(), blocks));
            for (long value : List.of(parts.live(), parts.free(), parts.ends(), parts.total())) text.append("<td>%s</td>".formatted(bytes(value)));
            text.append("<td class=\"bar\"><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\">");
            bar(text, parts, 100.0 / most, 8);
            text.append("</svg></td></tr>\n");
        });
        return text.toString();
    }

    private static void bar(StringBuilder text, HeapDump.Parts parts, double scale, double height) {
        double x = 0;
        for (Part part : list(parts)) {
            double width = part.bytes * scale;
            if (width > 0) text.append(String.format(Locale.ROOT, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"%.1f\"/>", part.style, x, width, height));
            x += width;
        }
    }

    /** The slices up to the last one that has memory. */
    private int used(HeapDump.Arena arena) {
        long end = 0;
        for (var page : arena.pages()) end = Math.max(end, page.place() + page.slices());
        for (var free : arena.free()) end = Math.max(end, free.first() + free.count());
        return (int) end;
    }

    private String draw(boolean alone) {
        svg.setLength(0);
        double y = alone ? header() : 4;
        for (HeapDump.Arena arena : dump.arenas()) y = arena(arena, y);
        if (!dump.osPages().isEmpty()) y = osPages(y);
        String size = String.format(Locale.ROOT, "viewBox=\"0 0 %d %.0f\"", WIDTH, y + 4);
        String style = alone ? "<style>" + resource("map.css") + "</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>" : "";
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"map\" id=\"map\" %s role=\"img\" aria-label=\"%s\">%s%s%s</svg>"
                .formatted(size, title(), style, PATTERNS, svg);
    }

    private static final String PATTERNS = "<defs><pattern id=\"wait\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
            + "<rect class=\"hatch\" width=\"2\" height=\"5\"/></pattern></defs>\n";

    private void text(String style, double x, double y, String text) {
        svg.append(String.format(Locale.ROOT, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>%n", style, x, y, text));
    }

    private double header() {
        HeapDump.Parts parts = dump.parts();
        text("h", 8, 26, title());
        text("t", 8, 46, bytes(parts.total()) + (dump.estimated() ? " of mimalloc's, estimated" : " resident of mimalloc's")
                + (processResident > 0 ? ", of " + bytes(processResident) + " of the process" : "") + ". A row is "
                + bytes((long) perRow * dump.slice()) + "; pages are filled as far as their blocks are live.");
        if (dump.estimated()) text("t", 8, 138, ESTIMATED);
        svg.append("<g transform=\"translate(8 58)\">");
        bar(svg, parts, (WIDTH - 16.0) / Math.max(1, parts.total()), 18);
        svg.append("</g>\n");
        double x = 8;
        for (Part part : list(parts)) {
            String label = part.name + " " + bytes(part.bytes);
            svg.append(String.format(Locale.ROOT, "<rect class=\"%s\" x=\"%.1f\" y=\"86\" width=\"10\" height=\"10\"/>", part.style, x));
            text("t", x + 14, 95, label);
            x += 26 + 6.6 * label.length();
        }
        x = 8;
        text("t", x, 118, "blocks");
        x += 48;
        for (int i = 0; i < COLOURS.length; i++) {
            svg.append(String.format(Locale.ROOT, "<rect class=\"c%d\" x=\"%.1f\" y=\"109\" width=\"10\" height=\"10\"/>", i, x));
            text("t", x + 14, 118, COLOUR_NAMES.get(i));
            x += 26 + 6.6 * COLOUR_NAMES.get(i).length();
        }
        return dump.estimated() ? 152 : 132;
    }

    private double arena(HeapDump.Arena arena, double y) {
        int used = used(arena), rows = (used + perRow - 1) / perRow;
        text("a", 8, y + 12, "arena at %#x: %s of %s addresses reached".formatted(arena.start(), bytes((long) used * dump.slice()), bytes((long) arena.slices() * dump.slice())));
        y += 20;
        var empty = new boolean[rows];
        Arrays.fill(empty, true);
        for (var page : arena.pages()) mark(empty, page.place(), page.slices());
        for (var free : arena.free()) mark(empty, free.first(), free.count());
        var tops = new double[rows];
        for (int row = 0; row < rows; row++) {
            tops[row] = y;
            boolean again = row > 0 && empty[row] && empty[row - 1];
            if (again) tops[row] = tops[row - 1];
            else y += empty[row] ? 6 : ROW;
            if (empty[row] && !again) svg.append(String.format(Locale.ROOT, "<path class=\"gap\" d=\"M%d %.1fH%d\"/>%n", LEFT, tops[row] + 3, WIDTH - 8));
            else if (!empty[row]) text("o", 8, tops[row] + 11, "+" + bytes((long) row * perRow * dump.slice()));
        }
        for (var run : arena.huge()) huge(run, tops, empty);
        for (var free : arena.free()) {
            spread(free.first(), free.count(), tops, empty, free.waits() ? "w" : "i", "", 1, 0,
                    "%s of free slices, %s %s|%s".formatted(bytes((long) free.count() * dump.slice()), bytes(free.resident()), resident(),
                            free.waits() ? "wait to be given back to the system" : "kept"));
        }
        pages(arena.pages(), tops, empty);
        return y + 10;
    }

    private void mark(boolean[] empty, long first, int count) {
        for (long row = first / perRow; row <= (first + count - 1) / perRow && row < empty.length; row++) empty[(int) row] = false;
    }

    /** Regions that are advised to be huge pages have a line below them. */
    private void huge(HeapDump.Run run, double[] tops, boolean[] empty) {
        int slices = dump.hugePage() / dump.slice();
        for (int from = run.first() * slices, end = (run.first() + run.count()) * slices, next; from < end; from = next) {
            int row = from / perRow;
            next = Math.min(end, (row + 1) * perRow);
            if (row >= tops.length || empty[row]) continue;
            svg.append(String.format(Locale.ROOT, "<path class=\"huge\" d=\"M%.2f %.1fH%.2f\"/>%n", x(from % perRow), tops[row] + ROW - 1, x(from % perRow + next - from)));
        }
    }

    private double x(long slice) { return LEFT + (double) slice * CELL * ROW_SLICES / perRow; }

    /** In a large heap neighbours that look alike are one. */
    private void pages(List<HeapDump.Page> pages, double[] tops, boolean[] empty) {
        List<HeapDump.Page> sorted = pages.stream().sorted(Comparator.comparingLong(HeapDump.Page::place)).toList();
        for (int i = 0, next; i < sorted.size(); i = next) {
            HeapDump.Page first = sorted.get(i);
            int slices = first.slices();
            double live = first.fill() * slices;
            for (next = i + 1; next < sorted.size() && slices < perRow / ROW_SLICES; next++) {
                HeapDump.Page page = sorted.get(next);
                if (page.place() != first.place() + slices || group(page) != group(first) || page.owner() != first.owner()) break;
                slices += page.slices();
                live += page.fill() * page.slices();
            }
            String data = " data-size=\"%d\" data-o=\"%d\" data-s=\"%s\"".formatted(group(first), owner(first), first.state());
            spread(first.place(), slices, tops, empty, "p c" + colour(group(first)), data, live / slices, 1, story(first, next - i));
        }
    }

    private int owner(HeapDump.Page page) { return page.owner() == 0 ? -1 : owners.indexOf(page.owner()) % OWNERS; }

    private String story(HeapDump.Page page, int count) {
        String who = page.owner() == 0 ? "of no thread" : "of thread " + (owners.indexOf(page.owner()) + 1);
        String what = page.state().equals("single") ? "a block of " + bytes(page.blockSize()) + (page.live() == 0 ? ", free" : "")
                : "blocks of %s: %,d live, %,d free, %,d not given out yet".formatted(bytes(page.blockSize()), page.live(), page.capacity() - page.live(),
                        page.reserved() - page.capacity());
        return "%s%s|%s %s, heap %d|%s, %s %s".formatted(count > 1 ? count + " pages, the first with " : "", what,
                page.state().equals("single") ? "alone in its page" : page.state(), who, page.heap(), bytes(page.bytes()), bytes(page.resident()), resident());
    }

    /** Draws a run of slices in one row or several. */
    private void spread(long first, int count, double[] tops, boolean[] empty, String style, String data, double fill, int gap, String story) {
        svg.append("<g class=\"").append(style).append('"').append(data).append("><title>").append(story.replace("|", "\n")).append("</title>");
        for (long from = first, end = first + count, next; from < end; from = next) {
            int row = (int) (from / perRow);
            next = Math.min(end, (long) (row + 1) * perRow);
            if (row >= tops.length || empty[row]) continue;
            double x = x(from % perRow), width = x(from % perRow + next - from) - x - (next == end ? gap : 0), height = ROW - 3, full = height * fill;
            svg.append(String.format(Locale.ROOT, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"/>", x, tops[row], Math.max(0.3, width), ROW - 3));
            if (full > 0.05 && gap > 0) {
                svg.append(String.format(Locale.ROOT, "<rect class=\"l\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>", x, tops[row] + height - full, Math.max(0.3, width), full));
            }
        }
        svg.append("</g>\n");
    }

    private double osPages(double y) {
        text("a", 8, y + 12, "blocks with a mapping of their own");
        y += 20;
        long most = dump.osPages().stream().mapToLong(HeapDump.Page::bytes).max().orElse(1);
        for (HeapDump.Page page : dump.osPages()) {
            double width = (WIDTH - LEFT - 8.0) * page.bytes() / most, there = width * page.resident() / Math.max(1, page.bytes());
            text("o", 8, y + 11, bytes(page.blockSize()));
            svg.append(String.format(Locale.ROOT, "<g class=\"p c%d\" data-size=\"%d\" data-o=\"%d\" data-s=\"%s\"><title>%s</title>"
                    + "<rect x=\"%d\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"/><rect class=\"l\" x=\"%d\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"/></g>%n", colour(group(page)),
                    group(page), owner(page), page.state(), story(page, 1).replace("|", "\n"), LEFT, y, width, ROW - 3, LEFT, y, there, ROW - 3));
            y += ROW;
        }
        return y + 10;
    }
}
