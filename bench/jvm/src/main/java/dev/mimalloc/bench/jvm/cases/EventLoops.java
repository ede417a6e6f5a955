package dev.mimalloc.bench.jvm.cases;

import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.DefaultThreadFactory;

/** Netty's own threads for JMH: only there its allocators have caches for the thread. */
public final class EventLoops extends DefaultEventExecutorGroup {
    /** As JMH calls it; it gives each thread one task at a time. */
    public EventLoops(int threads, String prefix) {
        super(threads, new DefaultThreadFactory(prefix, true));
    }
}
