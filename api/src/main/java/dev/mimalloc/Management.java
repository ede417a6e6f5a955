package dev.mimalloc;

import dev.mimalloc.core.Report;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.ObjectName;

/** The MBean; apart from its interface, which can be used where the module {@code java.management} is missing. */
final class Management implements MimallocMXBean {
    private Management() {}

    static void register() {
        try {
            ManagementFactory.getPlatformMBeanServer().registerMBean(new Management(), name());
        } catch (InstanceAlreadyExistsException e) {
            // Somebody was here before: that will do.
        } catch (JMException e) {
            throw new IllegalStateException("cannot register " + OBJECT_NAME, e);
        }
    }

    static void unregister() {
        try {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(name());
        } catch (InstanceNotFoundException e) {
            // Nothing to take away.
        } catch (JMException e) {
            throw new IllegalStateException("cannot unregister " + OBJECT_NAME, e);
        }
    }

    private static ObjectName name() throws JMException { return new ObjectName(OBJECT_NAME); }

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
    public void collect(boolean force) { Mimalloc.collect(force); }

    @Override
    public void resetStatistics() { Report.reset(); }

    @Override
    public String statisticsAsText() { return Mimalloc.statistics().toText(); }

    @Override
    public String statisticsAsJson() { return Mimalloc.statistics().toJson(); }
}
