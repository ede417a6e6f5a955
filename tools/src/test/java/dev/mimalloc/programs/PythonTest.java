package dev.mimalloc.programs;

import static dev.mimalloc.programs.Preloaded.file;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Debian's Python, with every Python object by malloc. */
class PythonTest {
    private static final String PYTHON = "/usr/bin/python3";

    @TempDir
    private Path folder;

    @Test
    void passesAPartOfItsOwnTests() throws Exception {
        String modules = "test_array test_bytes test_ctypes test_decimal test_deque test_dict test_exceptions"
                + " test_fork1 test_gc test_hashlib test_json test_list test_memoryview test_mmap test_pickle"
                + " test_pyexpat test_re test_set test_sort test_struct test_subprocess test_thread test_threading"
                + " test_codecs test_weakref test_xml_etree test_zlib";
        int count = modules.split(" ", -1).length;
        // Some interrupt themselves, which a shell that runs all this in the background has its children ignore. -W shows
        // what a failed one has said.
        String command = "env --default-signal=INT " + PYTHON + " -m test -W -j2 " + modules;
        // Some of them compare what a child writes to stderr, hence no statistics.
        var outcome = new Preloaded(folder, command.split(" ", -1)).environment("PYTHONMALLOC", "malloc").quiet().run();
        assertThat(outcome.output()).doesNotContain(" failed:");
        assertThat(outcome.output()).contains("All " + count + " tests OK");
    }

    @Test
    void worksOnObjects() throws Exception {
        var outcome = new Preloaded(folder, PYTHON, file("dev/mimalloc/tools/demo/objects.py"), "2")
                .environment("PYTHONMALLOC", "malloc").run();
        assertThat(outcome.output()).matches("orders 48000 digest [0-9a-f]{64}\n");
    }

    @Test
    void forksAndSpawnsProcesses() throws Exception {
        var outcome = new Preloaded(folder, PYTHON, file("programs/processes.py")).environment("PYTHONMALLOC", "malloc")
                .run();
        assertThat(outcome.output()).isEqualTo("processes\n");
    }

    /** What it asks glibc's heap for by ctypes is asked of ours. */
    @Test
    void trimsTheHeapAndLooksIntoIt() throws Exception {
        var outcome = new Preloaded(folder, PYTHON, file("programs/trims.py")).environment("PYTHONMALLOC", "malloc")
                .environment("MIMALLOC_PURGE_DELAY", "1000000").run();
        assertThat(outcome.output()).isEqualTo("trimmed 1 0\n");
    }
}
