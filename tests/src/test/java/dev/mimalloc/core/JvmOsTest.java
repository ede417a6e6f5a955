package dev.mimalloc.core;

import dev.mimalloc.Mimalloc;
import dev.mimalloc.core.base.OsConfig;
import dev.mimalloc.core.base.OsMemory;
import dev.mimalloc.core.base.Printer;
import dev.mimalloc.core.base.Root;
import dev.mimalloc.machine.FaultySystem;
import dev.mimalloc.machine.Os;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class JvmOsTest extends OsContract {
    private static FaultySystem system;

    @BeforeAll
    static void install() {
        Mimalloc.version();
        system = FaultySystem.install();
    }

    @AfterAll
    static void remove() { system.remove(); }

    @Override
    FaultyOs os() { return new OnTheJvm(); }

    private static final class OnTheJvm implements FaultyOs {
        @Override
        public void fail(int call, int first, int times, int error) { system.fail(call, first, times, error); }
        @Override
        public long calls(int call) { return system.calls(call); }
        @Override
        public long map(long size, long alignment, int flags) { return OsMemory.map(size, alignment, flags); }
        @Override
        public long mapHuge(long size, int node) { return OsMemory.mapHuge(size, node); }
        @Override
        public boolean mapAt(long a, long size) { return OsMemory.mapAt(a, size); }
        @Override
        public boolean unmap(long a, long size) { return OsMemory.unmap(a, size); }
        @Override
        public void release(long a, long size) { OsMemory.release(a, size); }
        @Override
        public boolean remap(long a, long size, long newSize, long target) {
            return Os.remap(a, size, newSize, target) > 0;
        }
        @Override
        public long realloc(long block, long size) { return Mimalloc.realloc(block, size); }
        @Override
        public void free(long block) { Mimalloc.free(block); }
        @Override
        public boolean commit(long a, long size) { return OsMemory.commit(a, size); }
        @Override
        public int decommit(long a, long size) { return OsMemory.decommit(a, size); }
        @Override
        public boolean discard(long a, long size) { return OsMemory.discard(a, size); }
        @Override
        public boolean reset(long a, long size) { return OsMemory.reset(a, size); }
        @Override
        public boolean allowHugePages(long a, long size, boolean allow) {
            return OsMemory.allowHugePages(a, size, allow);
        }
        @Override
        public long nodes(long list) { return OsConfig.nodesOf(list); }
        @Override
        public boolean overcommits() { return OsConfig.overcommits(); }
        @Override
        public void forgetOvercommits() { Root.setOvercommitsRelaxed(0); }
        @Override
        public long resident() { return OsConfig.resident(); }

        @Override
        public void print(long text) {
            long printer = Printer.open(0, 0);
            Printer.text(printer, text);
            Printer.close(printer);
        }

        @Override
        public String takeWritten() { return system.takeWritten(); }
    }
}
