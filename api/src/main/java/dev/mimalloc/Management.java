package dev.mimalloc;

import dev.mimalloc.core.ProcessLife;
import dev.mimalloc.core.Report;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Shows the allocator to JMX clients, as a {@link MimallocMXBean} of the platform's MBean server. It is registered by
 * {@link #register}, or at the allocator's start when the system property {@code dev.mimalloc.jmx} is {@code true}.
 *
 * <p>This needs the module {@code java.management}: a program in modules that does not require it runs with
 * {@code --add-modules java.management}.
 */
public final class Management {
    private Management() {}

    /**
     * Registers the MBean; when it is registered already nothing happens.
     *
     * @throws IllegalStateException if the MBean server refuses
     */
    public static void register() {
        try {
            ManagementFactory.getPlatformMBeanServer().registerMBean(new Bean(), name());
        } catch (InstanceAlreadyExistsException e) {
            // Somebody was here before: that will do.
        } catch (JMException e) {
            throw new IllegalStateException("cannot register " + MimallocMXBean.OBJECT_NAME, e);
        }
    }

    /**
     * Takes the MBean away; when it is not registered nothing happens.
     *
     * @throws IllegalStateException if the MBean server refuses
     */
    public static void unregister() {
        try {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(name());
        } catch (InstanceNotFoundException e) {
            // Nothing to take away.
        } catch (JMException e) {
            throw new IllegalStateException("cannot unregister " + MimallocMXBean.OBJECT_NAME, e);
        }
    }

    private static ObjectName name() throws JMException { return new ObjectName(MimallocMXBean.OBJECT_NAME); }

    private static final class Bean implements MimallocMXBean {
        @Override
        public int getVersion() { return Mimalloc.version(); }

        @Override
        public Statistics getStatistics() { return Mimalloc.statistics(); }

        @Override
        public ProcessInfo getProcess() { return ProcessInfo.now(); }

        @Override
        public Map<String, Long> getOptions() {
            var values = new TreeMap<String, Long>();
            for (Option option : Option.values()) values.put(option.name(), option.get());
            return values;
        }

        @Override
        public long option(String name) { return Option.valueOf(name).get(); }

        @Override
        public void setOption(String name, long value) { Option.valueOf(name).set(value); }

        @Override
        public void collect(boolean force) {
            ProcessLife.tick();
            Mimalloc.collect(force);
        }

        @Override
        public void resetStatistics() { Report.reset(); }

        @Override
        public String statisticsAsText() { return Mimalloc.statistics().toText(); }

        @Override
        public String statisticsAsJson() { return Mimalloc.statistics().toJson(); }
    }
}
