/** The allocator's statistics as Micrometer metrics. */
module dev.mimalloc.micrometer {
    requires transitive dev.mimalloc;
    requires transitive micrometer.core;

    exports dev.mimalloc.micrometer;
}
