package dev.mimalloc.machine;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The C functions that a method of core becomes, each as a whole signature: {@code "void* mi_malloc(size_t size)"}.
 * It has no meaning on the JVM.
 */
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.METHOD)
public @interface Export {
    /** One C signature for each name. */
    String[] value();
}
