package dev.mimalloc.arrow;

import static dev.mimalloc.arrow.Ours.assertEmpty;
import static dev.mimalloc.arrow.Ours.assertOurs;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.flight.AsyncPutListener;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightServer;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.NoOpFlightProducer;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.junit.jupiter.api.Test;

/** A server that keeps tables, and a client that puts one and gets it back; both allocate with us. */
@SuppressWarnings("try") // what Arrow closes may be interrupted
class FlightTest {
    private static final int[] BATCHES = {500, 1, 2000};

    @Test
    void aTableGoesToTheServerAndBack() throws Exception {
        try (RootAllocator serverRoot = Ours.root(); RootAllocator clientRoot = Ours.root()) {
            try (Keeper keeper = new Keeper(serverRoot);
                    FlightServer server = FlightServer
                            .builder(serverRoot, Location.forGrpcInsecure("localhost", 0), keeper).build().start();
                    FlightClient client = FlightClient.builder(clientRoot, server.getLocation()).build()) {
                for (int trip = 0; trip < 3; trip++) {
                    put(client, clientRoot, "table" + trip);
                    get(client, "table" + trip);
                }
                assertThat(serverRoot.getAllocatedMemory()).isPositive(); // the tables are there
                assertEmpty(clientRoot);
            }
        }
    }

    private static void put(FlightClient client, BufferAllocator allocator, String name) {
        try (VectorSchemaRoot table = VectorSchemaRoot.create(Tables.SCHEMA, allocator)) {
            var stream = client.startPut(FlightDescriptor.path(name), table, new AsyncPutListener());
            for (int rows : BATCHES) {
                Tables.fill(table, rows);
                stream.putNext();
                table.clear();
            }
            stream.completed();
            stream.getResult();
        }
    }

    private static void get(FlightClient client, String name) throws Exception {
        try (FlightStream stream = client.getStream(new Ticket(name.getBytes(StandardCharsets.UTF_8)))) {
            for (int rows : BATCHES) {
                assertThat(stream.next()).isTrue();
                assertOurs(stream.getRoot());
                Tables.assertFilled(stream.getRoot(), 0, rows);
            }
            assertThat(stream.next()).isFalse();
        }
    }

    /** Keeps what it is given, in the memory that the messages came in. */
    private static final class Keeper extends NoOpFlightProducer implements AutoCloseable {
        private final BufferAllocator allocator;
        private final Map<String, List<ArrowRecordBatch>> tables = new ConcurrentHashMap<>();

        Keeper(BufferAllocator allocator) { this.allocator = allocator; }

        @Override
        public Runnable acceptPut(CallContext context, FlightStream stream, StreamListener<PutResult> results) {
            return () -> {
                List<ArrowRecordBatch> batches = new ArrayList<>();
                VectorUnloader unloader = new VectorUnloader(stream.getRoot());
                while (stream.next()) {
                    assertOurs(stream.getRoot());
                    batches.add(unloader.getRecordBatch());
                }
                tables.put(stream.getDescriptor().getPath().getFirst(), batches);
                results.onCompleted();
            };
        }

        @Override
        public void getStream(CallContext context, Ticket ticket, ServerStreamListener listener) {
            try (VectorSchemaRoot table = VectorSchemaRoot.create(Tables.SCHEMA, allocator)) {
                VectorLoader loader = new VectorLoader(table);
                listener.start(table);
                for (ArrowRecordBatch batch : tables.get(new String(ticket.getBytes(), StandardCharsets.UTF_8))) {
                    loader.load(batch);
                    listener.putNext();
                }
                listener.completed();
            }
        }

        @Override
        public void close() {
            for (List<ArrowRecordBatch> batches : tables.values()) batches.forEach(ArrowRecordBatch::close);
        }
    }
}
