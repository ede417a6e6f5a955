/** The mimalloc allocator for Java programs. */
module dev.mimalloc {
    requires dev.mimalloc.core;
    requires static java.management;
    requires static jdk.jfr; // events, where there is a flight recorder

    exports dev.mimalloc;
}
