package dev.mimalloc.flight;

import dev.mimalloc.machine.Unpinned;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.List;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;

/**
 * Lets core know when a flight recording runs, and when none does. Until there is the first one, the events and
 * whatever they need are not even loaded.
 */
public final class FlightListener implements FlightRecorderListener, InvocationHandler {
    private static final FlightListener LISTENER = new FlightListener(); // the recorder does not keep it
    private FlightHeaps heaps; // guarded by this, as is the next
    private boolean registered;

    private FlightListener() {}

    /** Only where there is the module {@code jdk.jfr}. */
    public static void start(FlightHeaps heaps) {
        synchronized (LISTENER) {
            LISTENER.heaps = heaps;
        }
        FlightRecorder.addListener(Unpinned.listener(FlightRecorderListener.class, LISTENER, LISTENER));
    }

    /** What the recorder says, where it must not know this class. */
    @SuppressWarnings("ReferenceEquality") // the proxy would ask here again
    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            case "toString" -> toString();
            default -> {
                try {
                    look(FlightRecorder.getFlightRecorder());
                } catch (NoClassDefFoundError e) {
                    // Its program has been closed, and waits for the garbage collector: whoever records now is another.
                }
                yield null;
            }
        };
    }

    @Override
    public void recorderInitialized(FlightRecorder recorder) { look(recorder); }

    @Override
    public void recordingStateChanged(Recording recording) { look(FlightRecorder.getFlightRecorder()); }

    private synchronized void look(FlightRecorder recorder) {
        if (!registered) {
            FlightSampler.register(heaps);
            registered = true;
        }
        List<Recording> recordings = recorder.getRecordings();
        boolean running = recordings.stream().anyMatch(r -> r.getState() == RecordingState.RUNNING);
        FlightSampler.listen(running);
    }
}
