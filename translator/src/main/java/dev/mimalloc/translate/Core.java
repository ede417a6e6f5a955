package dev.mimalloc.translate;

import dev.mimalloc.machine.Export;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.constant.MethodTypeDesc;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What there is to translate: every class of core, and the C name of each of its methods. */
record Core(Path location, List<Method> methods) {
    static final String PACKAGE = "dev.mimalloc.core.";
    static final String MACHINE = "dev.mimalloc.machine.";

    /** Refuses two classes with one name in C: one that has moved leaves its old class file where it was built before. */
    Core {
        var owners = new HashMap<String, String>();
        for (Method method : methods) {
            String other = owners.put(method.simpleClassName(), method.className());
            if (other == null || other.equals(method.className())) continue;
            throw new IllegalStateException(other + " and " + method.className()
                    + " have the same name in C; if one of them is an old class file, ./mimalloc clean removes it");
        }
    }

    /** A method of core. Overloads share a name in Java but not in C: the later ones get a number. */
    record Method(String className, String name, String descriptor, String cName, boolean slow, List<String> exports) {
        String simpleClassName() { return simple(className); }

        /** Of a profile or a report: no program waits for it, so it is made small and lies apart. */
        boolean isRare() { return className.startsWith(PACKAGE + "profile.") || className.startsWith(PACKAGE + "report."); }

        /** The macro that leaves it out of a build, or null. */
        private String macro() {
            if (className.startsWith(PACKAGE + "profile.")) return "MI_PROFILE";
            return className.equals(PACKAGE + "report.Dump") || className.equals(PACKAGE + "report.Live") ? "MI_DUMP" : null;
        }

        /** A text in C, as it is in a build that has the method and in one that leaves it out. */
        String where(String with, String without) { return macro() != null ? "#if %s\n%s#else\n%s#endif\n".formatted(macro(), with, without) : with; }

        MethodTypeDesc type() { return MethodTypeDesc.ofDescriptor(descriptor); }
    }

    /** The name in C: packages are left out, as no two classes of core have the same name. */
    private static String simple(String className) {
        return className.substring(className.lastIndexOf('.') + 1).replace('$', '_');
    }

    /** Core as it is on the class path: a folder of class files or a jar. */
    static Core load() {
        try {
            var location = Path.of(Export.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            if (Files.isDirectory(location)) return new Core(location, read(location));
            try (var jar = FileSystems.newFileSystem(URI.create("jar:" + location.toUri()), Map.of())) {
                return new Core(location, read(jar.getPath("/")));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> classNames() { return methods.stream().map(Method::className).distinct().toList(); }

    Stream<Method> exported() { return methods.stream().filter(m -> !m.exports.isEmpty()); }

    private static List<Method> read(Path root) throws IOException {
        var methods = new ArrayList<Method>();
        try (var files = Files.walk(root.resolve(PACKAGE.replace('.', '/')))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
                ClassModel model = ClassFile.of().parse(Files.readAllBytes(file));
                String name = model.thisClass().asInternalName().replace('/', '.');
                if (name.endsWith("package-info")) continue;
                var seen = new HashMap<String, Integer>();
                for (MethodModel method : model.methods()) {
                    String plain = method.methodName().stringValue();
                    if (plain.startsWith("<")) continue;
                    int nth = seen.merge(plain, 1, Integer::sum);
                    String cName = simple(name) + "_" + plain + (nth == 1 ? "" : nth);
                    methods.add(new Method(name, plain, method.methodType().stringValue(), cName,
                            isSlow(plain), exports(method)));
                }
            }
        }
        return methods;
    }

    /** By their names: these must not be inlined where they are called, or they spoil the fast path's registers. */
    private static boolean isSlow(String name) { return name.endsWith("Slow") || name.equals("generic"); }

    private static List<String> exports(MethodModel method) {
        var export = annotation(method, "Export");
        if (export == null) return List.of();
        var value = (AnnotationValue.OfArray) export.elements().getFirst().value();
        return value.values().stream().map(v -> ((AnnotationValue.OfString) v).stringValue()).toList();
    }

    private static Annotation annotation(MethodModel method, String name) {
        String descriptor = "L" + (MACHINE + name).replace('.', '/') + ";";
        return method.findAttribute(Attributes.runtimeInvisibleAnnotations()).stream()
                .flatMap(a -> a.annotations().stream())
                .filter(a -> a.className().equalsString(descriptor)).findFirst().orElse(null);
    }
}
