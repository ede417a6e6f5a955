package dev.mimalloc;

import dev.mimalloc.core.face.ProcessLife;
import dev.mimalloc.core.report.Report;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.ObjectName;
import javax.management.StandardMBean;

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

    /** With words for what a client shows of it. */
    private static final class Bean extends StandardMBean implements MimallocMXBean {
        /** A client from elsewhere shall not be able to replace a file. */
        private static final OpenOption[] NEW_FILE = {StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE};

        private Profile profile; // guarded by this; null until the first one

        Bean() { super(MimallocMXBean.class, true); }

        @Override
        protected String getDescription(MBeanInfo info) { return "The memory allocator mimalloc in Java"; }

        @Override
        protected String getDescription(MBeanFeatureInfo feature) {
            return switch (feature.getName()) {
                case "Version" -> "The version of mimalloc's interface: 30600 is 3.6.0";
                case "Statistics" -> "The statistics of the whole allocator; in bytes, where nothing else is said";
                case "Limit" -> "How many bytes all heaps together may have; 0 for any number";
                case "Used" -> "How many bytes all heaps together have, as limits count them";
                case "Refusals" -> "How many allocations have failed, at a limit or for another reason";
                case "Heaps" -> "The main heap and those with a name or a limit: their bytes and what they have refused";
                case "Process" -> "What the system says of the process: times, memory in bytes, page faults";
                case "Options" -> "The value of each option, by its name";
                case "Profiling" -> "Whether a heap profile runs that startProfile has started";
                case "writeDump" -> "Writes what is where in the heap to a new file, for ./mimalloc map";
                case "startProfile" -> "Starts a heap profile";
                case "writeProfile" -> "Writes the heap profile to a new file, for go tool pprof";
                case "stopProfile" -> "Stops the heap profile, which can still be written";
                case "option" -> "The value of one option";
                case "setOption" -> "Sets an option; it holds for what happens from now on";
                case "collect" -> "Gives free memory back to the system, as far as no living thread has it";
                case "resetStatistics" -> "Begins the statistics anew, with what there is now";
                case "statisticsAsText" -> "The statistics as a table";
                case "statisticsAsJson" -> "The statistics as JSON";
                default -> throw new IllegalArgumentException("no words for " + feature.getName());
            };
        }

        @Override
        protected String getParameterName(MBeanOperationInfo operation, MBeanParameterInfo parameter, int sequence) {
            return switch (operation.getName()) {
                case "collect" -> "force";
                case "startProfile" -> "bytesPerSample";
                case "writeDump", "writeProfile" -> "path";
                default -> sequence == 0 ? "name" : "value";
            };
        }

        @Override
        protected String getDescription(MBeanOperationInfo operation, MBeanParameterInfo parameter, int sequence) {
            return switch (getParameterName(operation, parameter, sequence)) {
                case "force" -> "at once, and not after a delay";
                case "bytesPerSample" -> "how many allocated bytes lie between two samples, on average; 0 for 512 KiB";
                case "path" -> "of a new file on the JVM's machine, such as heap.json or heap.pb.gz";
                case "name" -> "of an option, as in Options";
                default -> "the option's new value";
            };
        }

        @Override
        public int getVersion() { return Mimalloc.version(); }

        @Override
        public Statistics getStatistics() { return Mimalloc.statistics(); }

        @Override
        public long getLimit() { return Mimalloc.limit(); }

        @Override
        public long getUsed() { return Mimalloc.used(); }

        @Override
        public long getRefusals() { return Mimalloc.refusals(); }

        @Override
        public List<HeapInfo> getHeaps() { return KnownHeaps.ALL.infos(); }

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

        @Override
        public void writeDump(String path) throws IOException { DumpFile.write(Path.of(path), NEW_FILE); }

        @Override
        public synchronized boolean isProfiling() { return profile != null && profile.isRunning(); }

        @Override
        public synchronized void startProfile(long bytesPerSample) {
            if (isProfiling()) throw new IllegalStateException("a profile is running already");
            profile = bytesPerSample == 0 ? Mimalloc.profile() : Mimalloc.profile(bytesPerSample);
        }

        @Override
        public void writeProfile(String path) throws IOException { started().write(Path.of(path), NEW_FILE); }

        private synchronized Profile started() {
            if (profile == null) throw new IllegalStateException("no profile was started");
            return profile;
        }

        @Override
        public synchronized void stopProfile() {
            if (profile != null) profile.close();
        }

        /** Nobody else could stop it. */
        @Override
        public void postDeregister() {
            super.postDeregister();
            stopProfile();
        }
    }
}
