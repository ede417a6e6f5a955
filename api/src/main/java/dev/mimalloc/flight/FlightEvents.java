package dev.mimalloc.flight;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Frequency;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.SettingDefinition;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * The events for JDK Flight Recorder. They hold primitive values only, all but {@link Live}: so that to commit one, in
 * the middle of the allocator, neither waits nor calls anything of the user's.
 */
final class FlightEvents {
    private FlightEvents() {}

    /** A sampled allocation. */
    @Name("dev.mimalloc.Allocation")
    @Label("Allocation Sample")
    @Category({"mimalloc", "Blocks"})
    @Description("An allocation of off-heap memory. Each byte is as likely to be sampled as any other; the sum of the"
            + " weights estimates what was allocated, for all or for one stack trace")
    @StackTrace
    static final class Allocation extends FlightCalled {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @Description("What was asked for; for an alignment, its next multiple")
        @DataAmount(DataAmount.BYTES)
        long size;
        @Label("Weight")
        @Description("How many allocated bytes this sample stands for")
        @DataAmount(DataAmount.BYTES)
        long weight;
        @Label("Heap")
        @Description("The number of the heap that the block is in; the Heap event has its name")
        long heap;

        @SettingDefinition
        @Name("interval")
        @Label("Sampling Interval")
        @Description("The average number of bytes from one sample to the next: 512 kB, for example")
        @DataAmount(DataAmount.BYTES)
        boolean interval(FlightSetting.Interval interval) { return true; }

        @SettingDefinition
        @Name("rate")
        @Label("Sampling Rate")
        @Description("About how many samples in a second are enough: when more come, the interval grows")
        @Frequency
        boolean rate(FlightSetting.Rate rate) { return true; }
    }

    /** The free of a sampled allocation. */
    @Name("dev.mimalloc.Free")
    @Label("Free of an Allocation Sample")
    @Category({"mimalloc", "Blocks"})
    @Description("A block whose allocation was sampled is free again")
    @StackTrace
    static final class Free extends FlightCalled {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @Description("What was asked for")
        @DataAmount(DataAmount.BYTES)
        long size;
        @Label("Weight")
        @Description("How many allocated bytes the sample stands for")
        @DataAmount(DataAmount.BYTES)
        long weight;
        @Label("Lifetime")
        @Timespan(Timespan.NANOSECONDS)
        long lifetime;
    }

    /** Sampled allocations that are not free yet. */
    @Name("dev.mimalloc.Live")
    @Label("Live Allocation Samples")
    @Category({"mimalloc", "Blocks"})
    @Description("Sampled blocks of one origin that are still in use: what grows from one chunk to the next may leak")
    @StackTrace(false)
    @Period("endChunk")
    static final class Live extends Event {
        @SettingDefinition
        @Name("rate")
        @Label("Sampling Rate")
        @Description("About how many samples in a second are enough to look for what stays: more than have an event")
        @Frequency
        boolean rate(FlightSetting.LiveRate rate) { return true; }

        @Label("Allocated By")
        @Description("The methods that have called the allocator, the innermost first")
        String origin;
        @Label("Samples")
        long samples;
        @Label("Weight")
        @Description("How many bytes these samples stand for")
        @DataAmount(DataAmount.BYTES)
        long weight;
        @Label("Oldest")
        @Description("For how long the oldest one has been in use")
        @Timespan(Timespan.NANOSECONDS)
        long oldest;
    }

    /** A heap. */
    @Name("dev.mimalloc.Heap")
    @Label("Heap")
    @Category({"mimalloc"})
    @Description("The main heap, or one with a name or a limit: when it begins, when it ends and at the ends of chunks")
    @StackTrace(false)
    @Period("everyChunk")
    static final class HeapState extends Event {
        @Label("Heap")
        @Description("The number that other events have")
        long heap;
        @Label("Name")
        String name;
        @Label("Limit")
        @Description("0 for any amount")
        @DataAmount(DataAmount.BYTES)
        long limit;
        @Label("Used")
        @Description("As limits count it: whole pages")
        @DataAmount(DataAmount.BYTES)
        long used;
        @Label("Refusals")
        @Description("Allocations that have failed so far")
        long refusals;
    }

    /** An allocation that failed. */
    @Name("dev.mimalloc.Refusal")
    @Label("Refused Allocation")
    @Category({"mimalloc"})
    @Description("An allocation has thrown an OutOfMemoryError, at a limit or for another reason")
    @StackTrace
    static final class Refused extends FlightCalled {
        @Label("Message")
        String message;
    }

    /** A page that came. */
    @Name("dev.mimalloc.PageFresh")
    @Label("Page Fresh")
    @Category({"mimalloc", "Pages"})
    @Description("A heap has taken a page, for blocks of one size")
    @StackTrace(false)
    @Enabled(false)
    static final class PageFresh extends Event {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @DataAmount(DataAmount.BYTES)
        long size;
        @Label("Block Size")
        @DataAmount(DataAmount.BYTES)
        long blockSize;
        @Label("Heap")
        @Description("The number of the heap")
        long heap;
    }

    /** A page that went. */
    @Name("dev.mimalloc.PageFree")
    @Label("Page Free")
    @Category({"mimalloc", "Pages"})
    @Description("A heap gives a page back")
    @StackTrace(false)
    @Enabled(false)
    static final class PageFree extends Event {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @DataAmount(DataAmount.BYTES)
        long size;
        @Label("Block Size")
        @DataAmount(DataAmount.BYTES)
        long blockSize;
        @Label("Heap")
        @Description("The number of the heap")
        long heap;
    }

    /** An arena that came. */
    @Name("dev.mimalloc.ArenaReserve")
    @Label("Arena Reserve")
    @Category({"mimalloc", "Arenas"})
    @Description("A range of memory was reserved from the system, or was brought by the program")
    @StackTrace
    static final class ArenaReserve extends FlightCalled {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @DataAmount(DataAmount.BYTES)
        long size;
    }

    /** An arena that went. */
    @Name("dev.mimalloc.ArenaRelease")
    @Label("Arena Release")
    @Category({"mimalloc", "Arenas"})
    @Description("An arena has come to its end")
    @StackTrace
    static final class ArenaRelease extends FlightCalled {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @DataAmount(DataAmount.BYTES)
        long size;
    }

    /** Memory that goes back to the system. */
    @Name("dev.mimalloc.Purge")
    @Label("Purge")
    @Category({"mimalloc", "Arenas"})
    @Description("Free memory in a row was given back to the system")
    @StackTrace(false)
    static final class Purge extends Event {
        @Label("Address")
        @MemoryAddress
        long address;
        @Label("Size")
        @Description("0 if the system has refused")
        @DataAmount(DataAmount.BYTES)
        long size;
    }

    /** The state of things, now and then. */
    @Name("dev.mimalloc.Statistics")
    @Label("Allocator Statistics")
    @Category({"mimalloc"})
    @Description("Memory that the allocator has from the system and what is in use, the arenas, pages, heaps and threads")
    @StackTrace(false)
    @Period("1 s")
    static final class Statistics extends Event {
        @Label("Limit")
        @Description("What all heaps together may have; 0 for any amount")
        @DataAmount(DataAmount.BYTES)
        long limit;
        @Label("Charged")
        @Description("What all heaps together have, as limits count it: whole pages")
        @DataAmount(DataAmount.BYTES)
        long charged;
        @Label("Refusals")
        @Description("Allocations that have failed so far")
        long refusals;
        @Label("In Use")
        @Description("In blocks that programs have")
        @DataAmount(DataAmount.BYTES)
        long inUse;
        @Label("In Pages")
        @DataAmount(DataAmount.BYTES)
        long inPages;
        @Label("Peak in Pages")
        @DataAmount(DataAmount.BYTES)
        long inPagesPeak;
        @Label("Committed")
        @DataAmount(DataAmount.BYTES)
        long committed;
        @Label("Peak Committed")
        @DataAmount(DataAmount.BYTES)
        long committedPeak;
        @Label("Reserved")
        @Description("Addresses in arenas, and blocks straight from the system")
        @DataAmount(DataAmount.BYTES)
        long reserved;
        @Label("Peak Reserved")
        @DataAmount(DataAmount.BYTES)
        long reservedPeak;
        @Label("Pages")
        long pages;
        @Label("Peak Pages")
        long pagesPeak;
        @Label("Abandoned Pages")
        @Description("Pages that no thread owns")
        long pagesAbandoned;
        @Label("Arenas")
        long arenas;
        @Label("Heaps")
        long heaps;
        @Label("Threads")
        @Description("Threads that have a part of a heap, and groups of virtual threads that share one")
        long threads;
        @Label("Purges")
        @Description("Ranges given back to the system so far")
        long purges;
        @Label("Purged")
        @Description("Bytes given back to the system so far")
        @DataAmount(DataAmount.BYTES)
        long purged;
        @Label("Resident")
        @Description("Of the whole process")
        @DataAmount(DataAmount.BYTES)
        long resident;
        @Label("Peak Resident")
        @Description("Of the whole process")
        @DataAmount(DataAmount.BYTES)
        long residentPeak;
    }
}
