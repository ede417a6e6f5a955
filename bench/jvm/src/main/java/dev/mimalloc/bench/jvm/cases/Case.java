package dev.mimalloc.bench.jvm.cases;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What all benchmarks have in common: nanoseconds for one operation, in a JVM that has no other work. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 1, time = 1500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = {Case.NATIVE, Case.UNSAFE})
public abstract class Case {
    static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
    /** Without it the JDK prints a warning, and Netty and Arrow leave their fastest way. */
    static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";
    static final String INTERNAL = "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED";
    static final String NIO = "--add-opens=java.base/java.nio=ALL-UNNAMED";
}
