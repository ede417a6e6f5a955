package dev.mimalloc.bench.jvm;

import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Where and when it was measured.
 *
 * @param load how many processes wanted a processor in the minute before; negative if the system does not say
 */
record Surroundings(Instant when, String java, String system, int processors, double load) {
    static Surroundings now() {
        var system = ManagementFactory.getOperatingSystemMXBean();
        return new Surroundings(Instant.now().truncatedTo(ChronoUnit.SECONDS), Runtime.version().toString(),
                system.getName() + " " + system.getVersion() + ", " + system.getArch(),
                system.getAvailableProcessors(), system.getSystemLoadAverage());
    }

    @Override
    public String toString() {
        return "JDK %s, %s, %d processors, load %.1f at the start".formatted(java, system, processors, load);
    }
}
