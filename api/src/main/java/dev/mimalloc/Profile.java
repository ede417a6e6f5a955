package dev.mimalloc;

import dev.mimalloc.base.Settings;
import dev.mimalloc.machine.Unpinned;
import dev.mimalloc.profile.ProfileWriter;
import dev.mimalloc.profile.StackSampler;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * A heap profile: which code has allocated how much since the profile was started, and how much of that is in use.
 * {@link Mimalloc#profile()} starts one; it takes samples until it is closed.
 *
 * {@snippet :
 * try (Profile profile = Mimalloc.profile()) {
 *     serve();
 *     profile.write(Path.of("heap.pb.gz"));
 * }
 * }
 *
 * <p>Samples are taken by bytes: each byte is as likely to be one as any other, and a block's chance grows with its size. A
 * sample counts for as many blocks and bytes as it stands for, so that the sums, for all or for one stack, estimate the
 * truth without a bias: of n samples such a sum is off by about one part in the root of n. Bytes are those of whole
 * blocks, as {@link Mimalloc#goodSize} says. A block that {@code realloc} has moved counts as allocated there. What
 * was allocated before the profile was started is not in it, nor are the first few blocks of each size, those that a
 * thread had ready in a list at that moment.
 *
 * <p>There are four values for each stack: {@code alloc_objects} and {@code alloc_space}, which only grow,
 * {@code inuse_objects} and {@code inuse_space}, from which a free takes away, whichever thread it comes from. A stack
 * begins with the allocator's caller and has up to 64 frames. A profile keeps up to 65,536 different stacks; what further
 * ones allocate is counted together, for {@code [other stacks]}. It also keeps about one record for each
 * {@link #bytesPerSample} bytes in use.
 *
 * <p>Several profiles and a flight recording may run at once, each with an interval of its own. The fast paths of the
 * allocator are the same with and without a profile, and while there is none nothing costs anything.
 *
 * <p>With {@code -Ddev.mimalloc.profile=name}, or {@code MIMALLOC_PROFILE=name} in the environment, a profile of the
 * whole run is written to {@code name.PID.1.pb.gz} when the JVM shuts down; what other shutdown hooks free may still
 * be among what is in use.
 *
 * <p>All methods may be called by any thread, while others allocate and free, and in any order: a profile that is
 * closed can still be written.
 */
public final class Profile implements AutoCloseable {
    private static final String SAMPLE_RATE = "profile.sample.rate";

    private static Profile ofRun; // written once, by Boot

    private final StackSampler sampler;
    private final long bytesPerSample;
    private final Instant begin = Instant.now();
    private final long beginNanos = System.nanoTime();
    private volatile long duration = -1; // in ns; below 0 as long as it runs

    private Profile(long bytesPerSample) {
        this.bytesPerSample = bytesPerSample;
        this.sampler = StackSampler.start(bytesPerSample);
    }

    static Profile start() {
        return new Profile(Math.max(1, Settings.numberOrVariable(SAMPLE_RATE, StackSampler.INTERVAL)));
    }

    static Profile start(long bytesPerSample) {
        if (bytesPerSample <= 0) {
            throw new IllegalArgumentException("bytesPerSample is not positive: " + bytesPerSample);
        }
        return new Profile(bytesPerSample);
    }

    /** Profiles the whole run; the name is that of a file to be written at its end. */
    static void startForRun(String name) {
        try {
            Unpinned.atExit("mimalloc-profile", () -> writeAtExit(name));
        } catch (IllegalStateException e) {
            return; // the JVM is shutting down already
        }
        ofRun = start();
    }

    private static void writeAtExit(String name) {
        try {
            ofRun.write(Path.of(name + "." + ProcessHandle.current().pid() + ".1.pb.gz"));
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("mimalloc: " + e.getMessage()); // loggers may have been closed by now
        }
    }

    /**
     * How many allocated bytes lie between two samples, on average.
     *
     * @return bytes, as the profile was started with
     */
    public long bytesPerSample() { return bytesPerSample; }

    /**
     * Whether samples are taken, as they are until {@link #close}.
     *
     * @return true if it was not closed
     */
    public boolean isRunning() { return duration < 0; }

    /**
     * Writes what was counted until now, or until the profile was closed, to a file, which is made or replaced: in the
     * format {@code profile.proto} of pprof, compressed by gzip. It has functions, files and lines inside, so that
     * {@code go tool pprof FILE} needs nothing else.
     *
     * @param file the path of the file, by custom with the end {@code .pb.gz}
     * @throws IOException if it cannot be written; the message says which file, and why
     */
    public void write(Path file) throws IOException { write(file, this::write); }

    /** As {@link #write(Path)}, with options. */
    void write(Path file, OpenOption... options) throws IOException { write(file, this::write, options); }

    /**
     * As {@link #write(Path)}, to a stream, which is flushed and not closed.
     *
     * @param out where the bytes go
     * @throws IOException what the stream throws
     */
    public void write(OutputStream out) throws IOException {
        Objects.requireNonNull(out, "out");
        long ended = duration;
        long time = TimeUnit.SECONDS.toNanos(begin.getEpochSecond()) + begin.getNano();
        ProfileWriter.pprof(out, sampler, time, ended < 0 ? System.nanoTime() - beginNanos : ended);
    }

    /**
     * Writes what is in use now, or was when the profile was closed, to a file, which is made or replaced: a line for
     * each stack in UTF-8, with its methods from the outermost to the innermost and the bytes, as in
     * {@code a.B.main;a.C.load 1048576}. Flame graphs are made of such lines.
     *
     * @param file the path of the file
     * @throws IOException if it cannot be written; the message says which file, and why
     */
    public void writeCollapsed(Path file) throws IOException { write(file, this::writeCollapsed); }

    /**
     * As {@link #writeCollapsed(Path)}, to a stream, which is flushed and not closed.
     *
     * @param out where the text goes
     * @throws IOException what the stream throws
     */
    public void writeCollapsed(OutputStream out) throws IOException {
        ProfileWriter.collapsed(Objects.requireNonNull(out, "out"), sampler);
    }

    @FunctionalInterface
    private interface Format { void write(OutputStream out) throws IOException; }

    private static void write(Path file, Format format, OpenOption... options) throws IOException {
        try (OutputStream out = Files.newOutputStream(Objects.requireNonNull(file, "file"), options)) {
            format.write(out);
        } catch (IOException e) {
            throw new IOException("cannot write a profile to " + file + ": " + e, e);
        }
    }

    /** Takes no more samples. What was counted until now can still be written; closing it again does nothing. */
    @Override
    public synchronized void close() {
        if (duration >= 0) return;
        sampler.stop();
        duration = System.nanoTime() - beginNanos;
    }
}
