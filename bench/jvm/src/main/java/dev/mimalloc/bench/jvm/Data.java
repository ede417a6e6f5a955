package dev.mimalloc.bench.jvm;

import java.nio.file.Path;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Results as JSON. */
final class Data {
    private Data() {}

    static void write(Path file, Object results) {
        JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build().writeValue(file.toFile(), results);
    }
}
