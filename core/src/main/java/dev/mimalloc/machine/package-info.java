/**
 * The ground floor: what Java has no words for.
 *
 * <p>These are the only classes with two bodies. The bodies here serve the JVM. For C, the translator drops them and
 * calls the function {@code Class_method} of {@code machine.h} instead. So core, which stands on this package, knows
 * neither the JVM nor C nor any operating system.
 *
 * <p>An address is a {@code long}, 0 is no address. Sizes are in bytes. Nothing here checks an address: a wrong one
 * ends the process, as it does in C.
 */
package dev.mimalloc.machine;
