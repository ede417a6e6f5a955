package dev.mimalloc;

import java.util.Map;

/**
 * The allocator for JConsole, Mission Control and other JMX clients, under the name {@value #OBJECT_NAME}.
 *
 * <p>It is registered with the platform's MBean server by {@link #register}, or at the allocator's start when the
 * system property {@code dev.mimalloc.jmx} is {@code true}. Both need the module {@code java.management}: where nothing
 * else requires it, {@code --add-modules java.management}. Nothing of this costs before somebody asks.
 */
public interface MimallocMXBean {
    /** The name of the MBean. */
    String OBJECT_NAME = "dev.mimalloc:type=Allocator";

    /**
     * Registers the MBean; when it is registered already nothing happens.
     *
     * @throws IllegalStateException if the MBean server refuses
     */
    static void register() { Management.register(); }

    /** Takes the MBean away; when it is not registered nothing happens. */
    static void unregister() { Management.unregister(); }

    /** The version of the interface, as {@link Mimalloc#version}. */
    int getVersion();

    /** The statistics of the whole allocator, as {@link Mimalloc#statistics}. */
    Statistics getStatistics();

    /** What the system says of the process, as {@link ProcessInfo#now}. */
    ProcessInfo getProcess();

    /** The value of each {@link Option}, by its name. */
    Map<String, Long> getOptions();

    /**
     * The value of an option.
     *
     * @param name of an {@link Option}
     * @throws IllegalArgumentException if there is no such option
     */
    long option(String name);

    /**
     * Sets an option, as {@link Option#set}.
     *
     * @param name of an {@link Option}
     * @throws IllegalArgumentException if there is no such option, or it cannot have this value
     */
    void setOption(String name, long value);

    /**
     * Gives free memory back to the system, as {@link Mimalloc#collect}: what threads that have ended and virtual
     * threads have left, and what waits in the arenas. What a living thread keeps for itself only that thread can
     * give back.
     *
     * @param force at once, and not after a delay
     */
    void collect(boolean force);

    /**
     * Begins the statistics anew: counters from 0, totals and peaks from what there is now. Stands for
     * {@code mi_stats_reset}.
     */
    void resetStatistics();

    /** The statistics as a table, as {@link Statistics#toText}. */
    String statisticsAsText();

    /** The statistics as JSON, as {@link Statistics#toJson}. */
    String statisticsAsJson();
}
