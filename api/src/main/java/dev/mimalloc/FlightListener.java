package dev.mimalloc;

import java.util.List;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;

/**
 * Lets core know when a flight recording runs, and when none does. Until there is the first one, the events and
 * whatever they need are not even loaded.
 */
final class FlightListener implements FlightRecorderListener {
    private boolean registered; // guarded by this

    private FlightListener() {}

    /** Only where there is the module {@code jdk.jfr}. */
    static void start() { FlightRecorder.addListener(new FlightListener()); }

    @Override
    public void recorderInitialized(FlightRecorder recorder) { look(recorder); }

    @Override
    public void recordingStateChanged(Recording recording) { look(FlightRecorder.getFlightRecorder()); }

    private synchronized void look(FlightRecorder recorder) {
        if (!registered) {
            FlightSampler.register();
            registered = true;
        }
        List<Recording> recordings = recorder.getRecordings();
        boolean running = recordings.stream().anyMatch(r -> r.getState() == RecordingState.RUNNING);
        FlightSampler.listen(running);
    }
}
