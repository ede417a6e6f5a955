package dev.mimalloc;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * The allocator for JConsole, Mission Control and other JMX clients, under the name {@value #OBJECT_NAME}.
 *
 * <p>{@link Management#register} registers it. It costs nothing before somebody asks it.
 */
public interface MimallocMXBean {
    /** The name of the MBean. */
    String OBJECT_NAME = "dev.mimalloc:type=Allocator";

    /**
     * The version of the interface, as {@link Mimalloc#version}.
     *
     * @return the number, 30600 for 3.6.0
     */
    int getVersion();

    /**
     * The statistics of the whole allocator, as {@link Mimalloc#statistics}.
     *
     * @return a snapshot
     */
    Statistics getStatistics();

    /**
     * How much memory all heaps together may have, as {@link Mimalloc#limit()}.
     *
     * @return bytes; 0 for any amount
     */
    long getLimit();

    /**
     * How much memory all heaps together have, as {@link Mimalloc#used}.
     *
     * @return bytes, as limits count them
     */
    long getUsed();

    /**
     * How many allocations have failed, as {@link Mimalloc#refusals}.
     *
     * @return the number so far
     */
    long getRefusals();

    /**
     * The main heap, and those with a name or a limit.
     *
     * @return what is known of each that is open, by their numbers
     */
    List<HeapInfo> getHeaps();

    /**
     * What the system says of the process, as {@link ProcessInfo#now}.
     *
     * @return a snapshot
     */
    ProcessInfo getProcess();

    /**
     * The value of each {@link Option}, by its name.
     *
     * @return name and value of each
     */
    Map<String, Long> getOptions();

    /**
     * The value of an option.
     *
     * @param name of an {@link Option}
     * @return the value, in the unit of its kind
     * @throws IllegalArgumentException if there is no such option
     */
    long option(String name);

    /**
     * Sets an option, as {@link Option#set}.
     *
     * @param name of an {@link Option}
     * @param value the new value
     * @throws IllegalArgumentException if there is no such option, or it cannot have this value
     */
    void setOption(String name, long value);

    /**
     * Gives free memory back to the system: what waits in the arenas, and the empty pages that virtual threads share.
     * Those of a living thread only that thread can give back.
     *
     * @param force at once, and not after a delay
     */
    void collect(boolean force);

    /**
     * Begins the statistics anew: counters from 0, totals and peaks from what there is now. Stands for
     * {@code mi_stats_reset}.
     */
    void resetStatistics();

    /**
     * The statistics as a table, as {@link Statistics#toText}.
     *
     * @return the text, of many lines
     */
    String statisticsAsText();

    /**
     * The statistics as JSON, as {@link Statistics#toJson}.
     *
     * @return the text, an object of JSON
     */
    String statisticsAsJson();

    /**
     * Writes what is where in the heap to a file, as {@link Mimalloc#dump}, for {@code ./mimalloc map FILE}.
     *
     * @param path of a new file on the JVM's machine, by custom with the end {@code .json}
     * @throws IOException if the file cannot be made, as when there is one already
     */
    void writeDump(String path) throws IOException;

    /**
     * Whether a heap profile runs that {@link #startProfile} has started.
     *
     * @return true between {@code startProfile} and {@code stopProfile}
     */
    boolean isProfiling();

    /**
     * Starts a heap profile, as {@link Mimalloc#profile(long)}. There is one at a time; those that the program has itself,
     * and flight recordings, do not matter.
     *
     * @param bytesPerSample how many allocated bytes lie between two samples, on average; 0 for 512 KiB
     * @throws IllegalArgumentException if the number is negative
     * @throws IllegalStateException if one is running
     */
    void startProfile(long bytesPerSample);

    /**
     * Writes the profile that {@link #startProfile} has started, as {@link Profile#write}: what was counted until now, or
     * until {@link #stopProfile}.
     *
     * @param path of a new file on the JVM's machine, by custom with the end {@code .pb.gz}
     * @throws IOException if the file cannot be made, as when there is one already
     * @throws IllegalStateException if none was started
     */
    void writeProfile(String path) throws IOException;

    /** Stops the profile; it can be written until the next one is started. When none is running nothing happens. */
    void stopProfile();
}
