package dev.mimalloc.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mimalloc.bench.Allocator;
import dev.mimalloc.services.Ordeal.Held;
import dev.mimalloc.tools.measure.Stopwatch.Failed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrdealTest {
    private static final Verdict SYSTEM = new Verdict("system", "all was there", "9 keys", null),
            SAME = new Verdict("ours", "all was there", "7 keys", null), LESS = new Verdict("ours", "some was there", "9 keys", null),
            BROKEN = new Verdict("ours", "", "", "a key is lost");

    @TempDir
    private Path folder;

    /** Counts may differ, promises may not. */
    @Test
    void aPromiseBrokenOnlyOnOursIsADifference() {
        assertThat(Verdict.differences(List.of(SYSTEM, SAME))).isEmpty();
        assertThat(Verdict.differences(List.of(SYSTEM, LESS, SAME, BROKEN))).containsExactly("on ours some was there (9 keys)",
                "on ours broken: a key is lost");
        assertThat(Verdict.differences(List.of(new Verdict("system", "", "", "no disk"), BROKEN))).isEmpty();
    }

    @Test
    void theReportTellsWhatHeld() throws Exception {
        Verdict.write(folder, "redis-killed", List.of(SYSTEM, BROKEN));
        assertThat(Verdict.read(folder, "redis-killed")).containsExactly(SYSTEM, BROKEN);
        assertThat(Report.write(folder, List.of())).contains("on system: all was there (9 keys)", "on ours: broken: a key is lost",
                "redis-killed on ours broken");
        assertThat(Files.readString(folder.resolve("index.html"))).containsSubsequence("Death and limits", "all was there (9 keys)",
                "kept on the system's malloc only", "redis-killed on ours broken");
        Verdict.write(folder, "redis-killed", List.of(SYSTEM, SAME));
        assertThat(Report.write(folder, List.of())).doesNotContain("broken").contains("system's malloc only:\n  none");
    }

    /** A service that forgets: its death shows in the verdict, with its reason. */
    private record Forgetful(boolean isKilled) implements Ordeal {
        @Override
        public String name() { return "forgetful"; }

        @Override
        public String title() { return "Forgetful"; }

        @Override
        public Service service() { return new Echo("hello", 0); }

        @Override
        public Held run(Place place, Allocator allocator) throws IOException, InterruptedException {
            var writers = new Writers();
            try (var daemon = Trial.start(service(), service().command(place), place, allocator)) {
                writers.writeUntilKilled(daemon, 20, (client, acknowledge) -> {
                    for (int i = 0;; i++) {
                        try (var wire = new Wire(place.port())) {
                            wire.write("ready\n").flush().readLine();
                            acknowledge.accept(client + ":" + i);
                        } catch (IOException e) {
                            return;
                        }
                    }
                });
                if (daemon.family().stream().anyMatch(ProcessHandle::isAlive)) throw new Failed("it is still alive");
            }
            if (!isKilled) throw new Failed("all is lost");
            return new Held("it is dead", writers.acknowledged().size() >= 20 ? "enough" : "too few");
        }
    }

    @Test
    void aServiceIsKilledUnderItsWriters() throws Exception {
        Path prepared = Echo.prepared(folder);
        var place = Place.of(folder, folder.resolve("data"), true, 1);
        var system = new Allocator(Allocator.SYSTEM, "", "");
        assertThat(new Forgetful(true).judge(place, prepared, system))
                .isEqualTo(new Verdict(Allocator.SYSTEM, "it is dead", "enough", null));
        assertThat(new Forgetful(false).judge(place, prepared, system).problem()).isEqualTo("all is lost");
    }
}
