package dev.mimalloc.tracking;

/** Carries the stack of an earlier call, as the cause of an exception: so it is shown wherever exceptions are. */
final class EarlierCall extends Throwable {
    private static final long serialVersionUID = 1;

    EarlierCall(String message, CallStack stack, EarlierCall cause) {
        super(message, cause);
        setStackTrace(stack.toArray());
    }

    /** It was not thrown here. */
    @Override
    public synchronized Throwable fillInStackTrace() { return this; }
}
