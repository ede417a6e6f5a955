package dev.mimalloc.programs;

import static dev.mimalloc.programs.Preloaded.file;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Node, Perl, and a shell that starts hundreds of processes. */
class ScriptTest {
    @TempDir
    private Path folder;

    @Test
    void nodeAndItsWorkers() throws Exception {
        assertThat(new Preloaded(folder, "node", file("programs/work.js")).run().output()).isEqualTo("workers agree\n");
    }

    @Test
    void perlOnText() throws Exception {
        assertThat(new Preloaded(folder, "perl", file("dev/mimalloc/tools/demo/words.pl")).run().output()).isEqualTo(
                "words 9000 longest word254 85 changed 449211 pairs 209644 checksum 882828139\n");
    }

    @Test
    void perlThreads() throws Exception {
        assertThat(new Preloaded(folder, "perl", file("programs/threads.pl")).run().output())
                .isEqualTo("results 600 sum 256140\n");
    }

    @Test
    void aShellThatForks() throws Exception {
        assertThat(new Preloaded(folder, "bash", "-c", """
                declare -A count
                for i in {1..150}; do
                  word=$(echo "$i $((i * i)) text" | sed 's/text/line/' | tr a-z A-Z)
                  ((count[${word##* }] += $(printf '%s' "$word" | wc -c)))
                done
                for i in {1..40}; do (exit 0) & done
                wait
                seq 1 200000 | sort -rn -S 20M |
                  awk '{ s[$1 % 1000] = s[$1 % 1000] $1 } END { for (k in s) n += length(s[k]); print n }'
                echo "${!count[@]} ${count[LINE]}"
                """).run().output()).isEqualTo("1088895\nLINE " + shellCount() + "\n");
    }

    private static int shellCount() {
        int count = 0;
        for (int i = 1; i <= 150; i++) count += (i + " " + i * i + " LINE").length();
        return count;
    }

    /** The reserved range of an arena does not fit: the allocator makes do with what it gets. */
    @Test
    void littleAddressSpace() throws Exception {
        assertThat(new Preloaded(folder, "bash", "-c", "ulimit -v 700000 && exec perl "
                + file("dev/mimalloc/tools/demo/words.pl")).run().output()).contains("checksum 882828139");
    }
}
