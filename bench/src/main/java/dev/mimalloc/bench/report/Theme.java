package dev.mimalloc.bench.report;

import dev.mimalloc.bench.Allocator;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Shape;
import java.awt.Stroke;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.List;

/**
 * Colours, signs and letters. An allocator has the same colour and sign in each chart; ours has the strongest. The
 * colours are near those of Okabe and Ito, which people who see red and green alike can tell apart, and the signs tell
 * them apart without.
 */
public final class Theme {
    /** Dark on white. */
    public static final Theme LIGHT = new Theme("light", 0xFFFFFF, 0x1F2328, 0x656D76, 0xE3E6EA,
            List.of(0xD55E00, 0x0072B2, 0x009E73, 0xB5578F, 0xA67C00, 0x6E7781));
    /** Light on black. */
    public static final Theme DARK = new Theme("dark", 0x0D1117, 0xE6EDF3, 0x9198A1, 0x2B313A,
            List.of(0xFF8A3D, 0x56B4E9, 0x2CC295, 0xE08FBF, 0xE3C04B, 0x9198A1));

    /** The thickness of lines that matter, and of those that do not. */
    public static final Stroke LINE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND),
            THIN = new BasicStroke(1.3f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND), HAIR = new BasicStroke(0.7f);

    private static final List<String> ORDER = List.of(Allocator.OURS, "mimalloc", "jemalloc", "tcmalloc", "tbbmalloc",
            Allocator.SYSTEM);

    /** The name of its files. */
    public final String name;
    /** Of the ground, of letters, of what matters less, and of lines behind. */
    public final Color paper, ink, faint, grid;
    private final List<Integer> colours;

    private Theme(String name, int paper, int ink, int faint, int grid, List<Integer> colours) {
        this.name = name;
        this.paper = new Color(paper);
        this.ink = new Color(ink);
        this.faint = new Color(faint);
        this.grid = new Color(grid);
        this.colours = colours;
    }

    Font font(int size) { return new Font(Font.SANS_SERIF, Font.PLAIN, size); }

    Font bold(int size) { return new Font(Font.SANS_SERIF, Font.BOLD, size); }

    /** The colour of an allocator. */
    public Color colour(String allocator) {
        Color known = new Color(colours.get(place(allocator)));
        return isFurther(allocator) ? (this == LIGHT ? known.darker() : known.brighter()) : known;
    }

    Shape sign(String allocator) {
        return switch (place(allocator)) {
            case 0 -> new Ellipse2D.Double(-4.5, -4.5, 9, 9);
            case 1 -> new Rectangle2D.Double(-3.2, -3.2, 6.4, 6.4);
            case 2 -> triangle(0);
            case 3 -> turned(new Rectangle2D.Double(-3, -3, 6, 6), Math.PI / 4);
            case 4 -> triangle(Math.PI);
            default -> new Ellipse2D.Double(-2.8, -2.8, 5.6, 5.6);
        };
    }

    /** The name of the allocator that looks like the first line of a chart, the second, and so on. */
    static String look(int line) { return ORDER.get(line % ORDER.size()); }

    private static boolean isFurther(String allocator) { return !ORDER.contains(allocator); }

    // Another mode of ours looks like ours, but darker, a build of mimalloc that the user gave like the installed one; any
    // other like the system's.
    private static int place(String allocator) {
        int known = ORDER.indexOf(allocator);
        return known >= 0 ? known : allocator.startsWith(Allocator.OURS) ? 0 : allocator.startsWith("mimalloc") ? 1 : ORDER.size() - 1;
    }

    private static Shape triangle(double angle) {
        var path = new Path2D.Double();
        path.moveTo(0, -4);
        path.lineTo(4, 3.2);
        path.lineTo(-4, 3.2);
        path.closePath();
        return turned(path, angle);
    }

    private static Shape turned(Shape shape, double angle) {
        return AffineTransform.getRotateInstance(angle).createTransformedShape(shape);
    }
}
