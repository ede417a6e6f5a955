package dev.mimalloc.services.engines;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * A job of Apache Flink, whose cluster is in this process, with the RocksDB state backend: events come at a rate, each adds to the state
 * of its key, and a key's state goes when it has been silent for long enough, in events' time. Checkpoints are taken all the while.
 */
public final class FlinkJob {
    private static final int PARALLELISM = 2, KEYS_OF_AN_EVENT = 4;

    private FlinkJob() {}

    /** Arguments: the port of the control and the folder. */
    public static void main(String[] args) throws Exception {
        Control.serve(Integer.parseInt(args[0]), words -> switch (words[0]) {
            case "ready" -> "ready";
            case "run" -> run(args[1], Long.parseLong(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
            default -> throw new IllegalArgumentException(words[0]);
        }, () -> {});
    }

    /** Runs so many events, so many in a second at most, and returns what has been seen and has expired. */
    private static String run(String folder, long events, int rate, int window) throws Exception {
        var options = new Configuration();
        options.setString("state.backend.type", "rocksdb");
        options.setString("state.backend.rocksdb.localdir", folder + "/rocksdb");
        options.setString("execution.checkpointing.interval", "5 s");
        options.setString("execution.checkpointing.incremental", "true");
        options.setString("execution.checkpointing.storage", "filesystem");
        options.setString("execution.checkpointing.dir", "file://" + folder + "/checkpoints");
        options.setString("taskmanager.memory.managed.size", "128m");
        options.setString("taskmanager.numberOfTaskSlots", "" + PARALLELISM);
        options.setString("io.tmp.dirs", folder + "/tmp");
        options.setString("rest.bind-address", "127.0.0.1");
        options.setString("rest.bind-port", "0");
        options.setString("rest.port", "0");
        var environment = StreamExecutionEnvironment.createLocalEnvironment(PARALLELISM, options);
        try {
            environment.fromSequence(0, events - 1).setParallelism(1).map(new Pace(rate)).setParallelism(1)
                    .assignTimestampsAndWatermarks(WatermarkStrategy.<Long>forGenerator(_ -> new EachEvent())
                            .withTimestampAssigner((event, _) -> event))
                    .setParallelism(1).keyBy(event -> event / KEYS_OF_AN_EVENT * 7919 % (4L * window), Types.LONG)
                    .process(new Keep(window)).sinkTo(new DiscardingSink<>());
            JobExecutionResult result = environment.execute("state that grows and expires");
            return List.of("seen", "expired", "sum").stream().map(name -> name + "=" + result.getAccumulatorResult(name))
                    .toList().toString().replace(", ", ",");
        } finally {
            environment.close();
        }
    }

    /** An event's number is its time, and each event tells that time has come so far: what expires does not depend on a clock. */
    private static final class EachEvent implements WatermarkGenerator<Long> {
        @Override
        public void onEvent(Long event, long time, WatermarkOutput output) { output.emitWatermark(new Watermark(time)); }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {}
    }

    /** Lets no more through than so many in a second. */
    private static final class Pace extends RichMapFunction<Long, Long> {
        private static final long serialVersionUID = 1;

        private final int rate;
        private long start, count;

        Pace(int rate) {
            this.rate = rate;
        }

        @Override
        public Long map(Long event) throws InterruptedException {
            if (count == 0) start = System.nanoTime();
            long due = start + Duration.ofSeconds(1).toNanos() / rate * count++, early = due - System.nanoTime();
            if (early > 1_000_000) Thread.sleep(Duration.ofNanos(early));
            return event;
        }
    }

    /** The state of a key: how many events, and for each a text. */
    private static final class Keep extends KeyedProcessFunction<Long, Long, Long> {
        private static final long serialVersionUID = 1;
        private static final String FILLER = "mimalloc".repeat(100);

        private final int window;
        private final LongCounter seen = new LongCounter(), expired = new LongCounter(), sum = new LongCounter();
        private transient ValueState<Long> last;
        private transient MapState<Long, String> texts;

        Keep(int window) {
            this.window = window;
        }

        @Override
        public void open(OpenContext context) {
            last = getRuntimeContext().getState(new ValueStateDescriptor<>("last", Types.LONG));
            texts = getRuntimeContext().getMapState(new MapStateDescriptor<>("texts", Types.LONG, Types.STRING));
            getRuntimeContext().addAccumulator("seen", seen);
            getRuntimeContext().addAccumulator("expired", expired);
            getRuntimeContext().addAccumulator("sum", sum);
        }

        @Override
        public void processElement(Long event, Context context, Collector<Long> out) throws Exception {
            last.update(event);
            texts.put(event, FILLER.substring(0, new SplittableRandom(event).nextInt(10, FILLER.length())));
            context.timerService().registerEventTimeTimer(event + window);
            seen.add(1);
        }

        @Override
        public void onTimer(long time, OnTimerContext context, Collector<Long> out) throws Exception {
            // After the last event all that is left goes at once.
            if (last.value() == null || last.value() + window > time) return;
            var events = new ArrayList<Long>();
            for (var text : texts.entries()) events.add(text.getKey() * text.getValue().length());
            for (long event : events) sum.add(event);
            expired.add(events.size());
            texts.clear();
            last.clear();
            out.collect(context.getCurrentKey());
        }
    }
}
