package dev.mimalloc.programs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Git imports a history, packs it with threads, clones it, checks it, and finds its way in it. */
class GitTest {
    private static final int COMMITS = 2000, FILES = 40;

    @TempDir
    private Path folder;

    @Test
    void importPackCloneCheck() throws Exception {
        git("init", "-q", "-b", "main", "one.git", "--bare");
        gitReading(history(), "-C", "one.git", "fast-import", "--quiet");
        git("-C", "one.git", "-c", "pack.threads=4", "repack", "-q", "-adf", "--depth=50", "--window=20");
        git("-C", "one.git", "gc", "-q");
        git("clone", "-q", "--no-local", "one.git", "two");
        String tree = git("-C", "one.git", "rev-parse", "main^{tree}");
        assertThat(git("-C", "two", "rev-parse", "HEAD^{tree}")).isEqualTo(tree);
        assertThat(git("-C", "two", "write-tree")).isEqualTo(tree);
        assertThat(git("-C", "two", "fsck", "--full", "--strict")).isEmpty();
        assertThat(git("-C", "two", "rev-list", "--count", "HEAD")).isEqualTo("" + COMMITS);
        assertThat(git("-C", "two", "status", "--porcelain")).isEmpty();
        assertThat(git("-C", "two", "log", "--oneline", "-S", "of commit 33 ").lines()).isNotEmpty();
        assertThat(git("-C", "two", "blame", "--porcelain", "file3.txt")).contains("summary commit");
        assertThat(git("-C", "two", "grep", "--threads", "4", "-c", "line").lines()).hasSize(FILES);
    }

    /** A stream for fast-import: each commit rewrites a part of one file. */
    private static String history() {
        var random = new SplittableRandom(5);
        var files = new String[FILES][300];
        for (int f = 0; f < FILES; f++) for (int i = 0; i < 300; i++) files[f][i] = "line " + i + " at first " + f;
        var stream = new StringBuilder();
        for (int commit = 0; commit < COMMITS; commit++) {
            String message = "commit " + commit;
            stream.append("commit refs/heads/main\ncommitter A <a@example.org> ").append(1700000000 + commit)
                    .append(" +0000\ndata ").append(message.length()).append('\n').append(message).append('\n');
            int first = commit == 0 ? 0 : random.nextInt(FILES), last = commit == 0 ? FILES - 1 : first;
            for (int f = first; f <= last; f++) {
                for (int i = 0; i < 20; i++) {
                    int line = random.nextInt(300);
                    files[f][line] = "line " + line + " of commit " + commit + " " + random.nextLong();
                }
                String text = String.join("\n", files[f]) + "\n";
                stream.append("M 100644 inline file").append(f).append(".txt\ndata ").append(text.length()).append('\n')
                        .append(text).append('\n');
            }
        }
        return stream.append("done\n").toString();
    }

    private String git(String... words) throws Exception { return gitReading("", words); }

    private String gitReading(String input, String... words) throws Exception {
        var command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(words));
        return new Preloaded(folder, command.toArray(String[]::new)).input(input)
                .environment("HOME", folder.toString()).environment("GIT_CONFIG_NOSYSTEM", "1").run().output().strip();
    }
}
