package dev.mimalloc.programs;

import static dev.mimalloc.programs.Preloaded.file;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** gcc and g++ compile something large on the library, and so does the program that comes out run. */
class CompilerTest {
    @TempDir
    private Path folder;

    @Test
    void compilesALargeCProgram() throws Exception {
        int functions = 2500;
        var random = new SplittableRandom(1);
        var source = new StringBuilder("#include <stdint.h>\n#include <stdio.h>\n");
        int expected = 1;
        for (int i = 0; i < functions; i++) {
            int a = random.nextInt() | 1, b = random.nextInt();
            int shift = random.nextInt(1, 31), turns = random.nextInt(2, 9);
            source.append("""
                    struct s%1$d { uint32_t a, b; const char* name; };
                    static const struct s%1$d t%1$d = {%2$du, %3$du, "function number %1$d"};
                    __attribute__((noinline)) static uint32_t f%1$d(uint32_t x) {
                      for (int i = 0; i < %5$d; i++) {
                        switch ((x >> %4$d) %% 5) {
                          case 0: x = x * t%1$d.a + t%1$d.b; break;
                          case 1: x ^= x >> 7; x += t%1$d.name[i]; break;
                          case 2: x = (x << 3) - t%1$d.b; break;
                          default: x = ~x + %1$d; break;
                        }
                      }
                      return x;
                    }
                    """.formatted(i, Integer.toUnsignedLong(a), Integer.toUnsignedLong(b), shift, turns));
            expected = apply(i, a, b, shift, turns, expected);
        }
        source.append("int main(void) {\n  uint32_t x = 1;\n");
        for (int i = 0; i < functions; i++) source.append("  x = f").append(i).append("(x);\n");
        source.append("  printf(\"%u\\n\", x);\n}\n");
        Files.writeString(folder.resolve("large.c"), source);

        new Preloaded(folder, "gcc", "-O2", "-g", "-Wall", "-Werror", "-o", "large", "large.c").run();
        assertThat(new Preloaded(folder, "./large").run().output())
                .isEqualTo(Integer.toUnsignedString(expected) + "\n");
    }

    /** What function {@code i} of the C program does. */
    private static int apply(int i, int a, int b, int shift, int turns, int x) {
        String name = "function number " + i;
        for (int turn = 0; turn < turns; turn++) {
            x = switch (Integer.remainderUnsigned(x >>> shift, 5)) {
                case 0 -> x * a + b;
                case 1 -> (x ^ x >>> 7) + name.charAt(turn);
                case 2 -> (x << 3) - b;
                default -> ~x + i;
            };
        }
        return x;
    }

    @Test
    void compilesTemplates() throws Exception {
        String source = file("dev/mimalloc/tools/demo/templates.cpp");
        new Preloaded(folder, "g++", "-std=c++17", "-O1", "-o", "templates", source).run();
        assertThat(new Preloaded(folder, "./templates").run().output())
                .isEqualTo("7667278 250\n");
    }
}
