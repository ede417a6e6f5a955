package dev.mimalloc.flight;

import jdk.jfr.Event;
import jdk.jfr.events.StackFilter;

/**
 * An event whose stack trace begins with who has called the allocator. Without that the first frames, the only ones that
 * many viewers show, would all be the allocator's own.
 *
 * <p>The recorder leaves frames out for the JDK's own events, by an annotation that its module does not export. A program
 * cannot call what is in such a package, but may be annotated with it: the JVM reads an annotation whoever it belongs to,
 * and skips one that it does not know, which gives the whole stack trace again. A test sees to it that the list is whole.
 * The JDK's own SegmentAllocator is in between where a segment is asked for without an alignment.
 */
@StackFilter({
        "dev.mimalloc.Arenas", "dev.mimalloc.Boot", "dev.mimalloc.Heap", "dev.mimalloc.Heap$Local",
        "dev.mimalloc.InstalledLimitHandler", "dev.mimalloc.KnownHeaps", "dev.mimalloc.Mimalloc", "dev.mimalloc.Region",
        "dev.mimalloc.arena.AutomaticMemory", "dev.mimalloc.arena.Blocks", "dev.mimalloc.arena.ConfinedArena",
        "dev.mimalloc.arena.SharedArena", "dev.mimalloc.arena.SharedArena$List",
        "dev.mimalloc.arena.SharedArena$List$Node", "dev.mimalloc.base.HeapUsers", "dev.mimalloc.base.Refusal",
        "dev.mimalloc.base.SampleListeners", "dev.mimalloc.flight.FlightSampler", "dev.mimalloc.tracking.Tracker",
        "dev.mimalloc.core.base.Bitmap", "dev.mimalloc.core.base.Config", "dev.mimalloc.core.base.Errors",
        "dev.mimalloc.core.base.Links", "dev.mimalloc.core.base.Lock", "dev.mimalloc.core.base.Meta",
        "dev.mimalloc.core.base.Options", "dev.mimalloc.core.base.OsConfig", "dev.mimalloc.core.base.OsMemory",
        "dev.mimalloc.core.base.Printer", "dev.mimalloc.core.base.Random", "dev.mimalloc.core.base.Root",
        "dev.mimalloc.core.base.Secret", "dev.mimalloc.core.base.SizeClass", "dev.mimalloc.core.base.Statistics",
        "dev.mimalloc.core.base.Table", "dev.mimalloc.core.face.CppNames", "dev.mimalloc.core.face.ManageArenas",
        "dev.mimalloc.core.face.ProcessLife", "dev.mimalloc.core.face.StandardNames",
        "dev.mimalloc.core.face.Teardown", "dev.mimalloc.core.malloc.Allocate",
        "dev.mimalloc.core.malloc.AllocateAligned", "dev.mimalloc.core.malloc.Free",
        "dev.mimalloc.core.malloc.Reallocate", "dev.mimalloc.core.malloc.Spare", "dev.mimalloc.core.memory.Arenas",
        "dev.mimalloc.core.memory.Density", "dev.mimalloc.core.memory.HugePages", "dev.mimalloc.core.memory.Kept",
        "dev.mimalloc.core.memory.Purge", "dev.mimalloc.core.model.Arena", "dev.mimalloc.core.model.ArenaPages",
        "dev.mimalloc.core.model.CallOut", "dev.mimalloc.core.model.Harden", "dev.mimalloc.core.model.Heap",
        "dev.mimalloc.core.model.HeapPages", "dev.mimalloc.core.model.Holes", "dev.mimalloc.core.model.Main",
        "dev.mimalloc.core.model.Misuse", "dev.mimalloc.core.model.Padding", "dev.mimalloc.core.model.Page",
        "dev.mimalloc.core.model.PageMap", "dev.mimalloc.core.model.PageQueue", "dev.mimalloc.core.model.Subprocess",
        "dev.mimalloc.core.model.Theap", "dev.mimalloc.core.model.ThreadData", "dev.mimalloc.core.page.Abandon",
        "dev.mimalloc.core.page.Deferred", "dev.mimalloc.core.page.FindPage", "dev.mimalloc.core.page.Guarded",
        "dev.mimalloc.core.page.Limits", "dev.mimalloc.core.page.Pages", "dev.mimalloc.core.page.Punch",
        "dev.mimalloc.core.page.Resize", "dev.mimalloc.core.page.Retire", "dev.mimalloc.core.page.Sampling",
        "dev.mimalloc.core.page.Scavenge", "dev.mimalloc.core.page.Verify", "dev.mimalloc.core.profile.Addresses",
        "dev.mimalloc.core.profile.Exponential", "dev.mimalloc.core.profile.HeapText",
        "dev.mimalloc.core.profile.Leaks", "dev.mimalloc.core.profile.Mappings", "dev.mimalloc.core.profile.Pprof",
        "dev.mimalloc.core.profile.ProfileFile", "dev.mimalloc.core.profile.Profiler",
        "dev.mimalloc.core.profile.Profiling", "dev.mimalloc.core.profile.Samples",
        "dev.mimalloc.core.profile.Snapshot", "dev.mimalloc.core.profile.Stacks", "dev.mimalloc.core.report.Dump",
        "dev.mimalloc.core.report.Json", "dev.mimalloc.core.report.Live", "dev.mimalloc.core.report.Report",
        "dev.mimalloc.core.report.Requests", "dev.mimalloc.core.report.Version", "dev.mimalloc.core.thread.Heaps",
        "dev.mimalloc.core.thread.ProcessInfo", "dev.mimalloc.core.thread.Quarantine",
        "dev.mimalloc.core.thread.Startup", "dev.mimalloc.core.thread.Subprocesses", "dev.mimalloc.core.thread.Theaps",
        "dev.mimalloc.core.thread.Threads", "dev.mimalloc.core.thread.Visit",
        "dev.mimalloc.machine.Access", "dev.mimalloc.machine.Bits", "dev.mimalloc.machine.Callback", "dev.mimalloc.machine.Callers",
        "dev.mimalloc.machine.Check",
        "dev.mimalloc.machine.FirstMemory", "dev.mimalloc.machine.ForeignAccess", "dev.mimalloc.machine.Housekeeper",
        "dev.mimalloc.machine.InternalAccess", "dev.mimalloc.machine.Linux", "dev.mimalloc.machine.MacOs", "dev.mimalloc.machine.Memory",
        "dev.mimalloc.machine.OperatingSystem", "dev.mimalloc.machine.Os", "dev.mimalloc.machine.Secure", "dev.mimalloc.machine.Segments",
        "dev.mimalloc.machine.StackProbe", "dev.mimalloc.machine.SunAccess", "dev.mimalloc.machine.SystemCalls",
        "dev.mimalloc.machine.Text", "dev.mimalloc.machine.ThreadSlot", "dev.mimalloc.machine.ThreadSlot$Entry",
        "dev.mimalloc.machine.Trace", "dev.mimalloc.machine.Track", "dev.mimalloc.machine.Unpinned", "dev.mimalloc.machine.UpperTable", "dev.mimalloc.machine.Variant",
        "dev.mimalloc.machine.Windows",
        "java.lang.foreign.SegmentAllocator"})
abstract class FlightCalled extends Event {}
