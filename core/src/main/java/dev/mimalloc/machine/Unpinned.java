package dev.mimalloc.machine;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * What is handed to the JDK to keep, without keeping the allocator's classes: a container that unloads a program must
 * get rid of its allocator, too. So the thread, the hooks and the listeners are made of the JDK's classes alone, and
 * find their way back by a weak reference; the maker of one keeps its target in a static field of its own. When the
 * classes are gone they do nothing any more.
 *
 * <p>This takes method handles, which take time. Where the classes are loaded by one of the JVM's own loaders they stay
 * as long as the JVM does, and the JDK gets the targets themselves. JVM only.
 */
public final class Unpinned {
    private static final boolean STAY = isForEver(Unpinned.class.getClassLoader());

    private static final List<Runnable> EXIT_TASKS = new ArrayList<>(); // keeps them; guarded by the class

    private Unpinned() {}

    /** Will the allocator's classes never be unloaded? */
    static boolean stays() { return STAY; }

    /** Makes once what {@link #rounds} makes, as that loads classes. */
    static void warmUp() {
        if (!STAY) rounds(weak(null), new AtomicReference<>()).run();
    }

    /** Will classes of this loader never be unloaded? */
    private static boolean isForEver(ClassLoader loader) {
        for (ClassLoader own = ClassLoader.getSystemClassLoader(); own != null; own = own.getParent()) {
            if (own.equals(loader)) return true;
        }
        return loader == null;
    }

    /** A task for the JDK to keep; it runs the target as long as somebody else keeps that. */
    public static Runnable task(Runnable target) {
        if (STAY) return target;
        return MethodHandleProxies.asInterfaceInstance(Runnable.class, weakly(Runnable.class, weak(target)));
    }

    /**
     * A listener for the JDK to keep; it tells the target as long as somebody else keeps that.
     *
     * @param type an interface of the JDK's
     * @param direct who is told where nothing needs to be unpinned
     * @param target who is told by reflection otherwise
     */
    public static <T> T listener(Class<T> type, T direct, InvocationHandler target) {
        if (STAY) return direct;
        InvocationHandler handler = MethodHandleProxies.asInterfaceInstance(InvocationHandler.class,
                weakly(InvocationHandler.class, weak(target)));
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /**
     * Has the JVM run a task when it shuts down, unless the classes are gone by then.
     *
     * @throws IllegalStateException if it shuts down already
     */
    public static synchronized void atExit(String name, Runnable task) {
        Thread hook = Thread.ofPlatform().name(name).inheritInheritableThreadLocals(false).unstarted(task(task));
        hook.setContextClassLoader(null); // it would keep an application's classes alive
        Runtime.getRuntime().addShutdownHook(hook);
        EXIT_TASKS.add(task);
    }

    /**
     * What a thread may run: one round after another, each of which says for how many nanoseconds to rest, until the
     * reference is cleared. Nothing of ours is on the stack while it rests. What is put into {@code kept} stays as long
     * as the thread goes on.
     */
    static Runnable rounds(WeakReference<LongSupplier> target, AtomicReference<Object> kept) {
        if (STAY) return new Rounds(target);
        try {
            MethodHandle isGone = MethodHandles.publicLookup()
                    .findVirtual(WeakReference.class, "refersTo", MethodType.methodType(boolean.class, Object.class))
                    .bindTo(target);
            MethodHandle goOn = MethodHandles.guardWithTest(MethodHandles.insertArguments(isGone, 0, (Object) null),
                    MethodHandles.constant(boolean.class, false), MethodHandles.constant(boolean.class, true));
            MethodHandle park = MethodHandles.publicLookup().findStatic(LockSupport.class, "parkNanos",
                    MethodType.methodType(void.class, long.class));
            // Through an object, so that the round has frames of its own: those that had the target are gone when the
            // thread rests. What is put together from handles alone may share one.
            MethodHandle once = MethodHandles.publicLookup()
                    .findVirtual(LongSupplier.class, "getAsLong", MethodType.methodType(long.class))
                    .bindTo(MethodHandleProxies.asInterfaceInstance(LongSupplier.class,
                            weakly(LongSupplier.class, target)));
            MethodHandle round = MethodHandles.filterReturnValue(once, park);
            MethodHandle survive = MethodHandles.catchException(round, Throwable.class,
                    MethodHandles.empty(MethodType.methodType(void.class, Throwable.class)));
            return MethodHandleProxies.asInterfaceInstance(Runnable.class,
                    MethodHandles.whileLoop(null, goOn, keeping(survive, kept)));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no rounds", e);
        }
    }

    /** Not a lambda, which would take a good part of the time of a first malloc. */
    private record Rounds(WeakReference<LongSupplier> target) implements Runnable {
        @Override
        public void run() {
            while (!target.refersTo(null)) rest();
        }

        /** A round outlives whatever goes wrong in it; so must what is around. */
        private void rest() {
            try {
                LongSupplier round = target.get();
                if (round != null) LockSupport.parkNanos(round.getAsLong());
            } catch (Throwable t) {
                Thread.onSpinWait(); // no stack or no Java heap: there will be some in the next round
            }
        }
    }

    /** A handle that refers to an object, and does the same. */
    private static MethodHandle keeping(MethodHandle handle, AtomicReference<Object> kept) {
        return MethodHandles.insertArguments(MethodHandles.dropArguments(handle, 0, Object.class), 0, kept);
    }

    private static <T> WeakReference<T> weak(T target) { return new WeakReference<>(target); }

    /** The one method of an interface of the JDK's, called on what is referred to; if that is gone it does nothing. */
    private static <T> MethodHandle weakly(Class<T> type, WeakReference<T> target) {
        try {
            Method only = null;
            for (Method method : type.getMethods()) if (Modifier.isAbstract(method.getModifiers())) only = method;
            MethodHandle call = MethodHandles.publicLookup().unreflect(only);
            T nobody = MethodHandleProxies.asInterfaceInstance(type,
                    MethodHandles.empty(call.type().dropParameterTypes(0, 1)));
            MethodHandle get = MethodHandles.publicLookup()
                    .findVirtual(WeakReference.class, "get", MethodType.methodType(Object.class)).bindTo(target);
            MethodHandle orNobody = MethodHandles.publicLookup().findStatic(Objects.class, "requireNonNullElse",
                    MethodType.methodType(Object.class, Object.class, Object.class));
            MethodHandle found = MethodHandles.filterReturnValue(get,
                    MethodHandles.insertArguments(orNobody, 1, nobody));
            return MethodHandles.collectArguments(call, 0, found.asType(MethodType.methodType(type)));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no way to " + type, e);
        }
    }
}
