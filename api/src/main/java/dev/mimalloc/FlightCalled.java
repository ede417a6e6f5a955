package dev.mimalloc;

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
        "dev.mimalloc.Arenas", "dev.mimalloc.AutomaticMemory", "dev.mimalloc.Blocks", "dev.mimalloc.Boot",
        "dev.mimalloc.ConfinedArena", "dev.mimalloc.FlightSampler", "dev.mimalloc.Heap",
        "dev.mimalloc.Heap$Local", "dev.mimalloc.HeapUsers", "dev.mimalloc.InstalledLimitHandler",
        "dev.mimalloc.KnownHeaps", "dev.mimalloc.Mimalloc", "dev.mimalloc.Refusal", "dev.mimalloc.Region",
        "dev.mimalloc.SharedArena", "dev.mimalloc.SharedArena$List", "dev.mimalloc.SharedArena$List$Node",
        "dev.mimalloc.Tracker", "dev.mimalloc.core.Abandon", "dev.mimalloc.core.Allocate",
        "dev.mimalloc.core.AllocateAligned", "dev.mimalloc.core.Arena", "dev.mimalloc.core.ArenaPages",
        "dev.mimalloc.core.Arenas", "dev.mimalloc.core.Bitmap", "dev.mimalloc.core.CallOut",
        "dev.mimalloc.core.Config", "dev.mimalloc.core.CppNames", "dev.mimalloc.core.Deferred",
        "dev.mimalloc.core.Density", "dev.mimalloc.core.Errors", "dev.mimalloc.core.FindPage",
        "dev.mimalloc.core.Free", "dev.mimalloc.core.Heap", "dev.mimalloc.core.HeapPages", "dev.mimalloc.core.Heaps",
        "dev.mimalloc.core.HugePages", "dev.mimalloc.core.Json", "dev.mimalloc.core.Kept",
        "dev.mimalloc.core.Limits", "dev.mimalloc.core.Links", "dev.mimalloc.core.Lock", "dev.mimalloc.core.Main",
        "dev.mimalloc.core.ManageArenas", "dev.mimalloc.core.Meta", "dev.mimalloc.core.Options", "dev.mimalloc.core.OsConfig",
        "dev.mimalloc.core.OsMemory", "dev.mimalloc.core.Page",
        "dev.mimalloc.core.PageMap", "dev.mimalloc.core.PageQueue", "dev.mimalloc.core.Pages",
        "dev.mimalloc.core.Printer", "dev.mimalloc.core.ProcessInfo", "dev.mimalloc.core.ProcessLife",
        "dev.mimalloc.core.Purge", "dev.mimalloc.core.Reallocate", "dev.mimalloc.core.Report",
        "dev.mimalloc.core.Resize", "dev.mimalloc.core.Retire", "dev.mimalloc.core.Root",
        "dev.mimalloc.core.Sampling", "dev.mimalloc.core.Scavenge", "dev.mimalloc.core.SizeClass",
        "dev.mimalloc.core.Spare", "dev.mimalloc.core.StandardNames", "dev.mimalloc.core.Startup",
        "dev.mimalloc.core.Statistics", "dev.mimalloc.core.Subprocess", "dev.mimalloc.core.Subprocesses",
        "dev.mimalloc.core.Table", "dev.mimalloc.core.Teardown", "dev.mimalloc.core.Theap",
        "dev.mimalloc.core.Theaps", "dev.mimalloc.core.ThreadData", "dev.mimalloc.core.Threads",
        "dev.mimalloc.core.Version", "dev.mimalloc.core.Visit", "dev.mimalloc.machine.Access",
        "dev.mimalloc.machine.Bits", "dev.mimalloc.machine.Callback", "dev.mimalloc.machine.FirstMemory",
        "dev.mimalloc.machine.ForeignAccess", "dev.mimalloc.machine.Housekeeper",
        "dev.mimalloc.machine.InternalAccess", "dev.mimalloc.machine.Linux", "dev.mimalloc.machine.Memory",
        "dev.mimalloc.machine.OperatingSystem", "dev.mimalloc.machine.Os",
        "dev.mimalloc.machine.Segments", "dev.mimalloc.machine.StackProbe", "dev.mimalloc.machine.SunAccess",
        "dev.mimalloc.machine.SystemCalls", "dev.mimalloc.machine.Text", "dev.mimalloc.machine.ThreadSlot",
        "dev.mimalloc.machine.ThreadSlot$Entry", "dev.mimalloc.machine.Trace", "dev.mimalloc.machine.Unpinned",
        "dev.mimalloc.machine.UpperTable", "java.lang.foreign.SegmentAllocator"})
abstract class FlightCalled extends Event {}
