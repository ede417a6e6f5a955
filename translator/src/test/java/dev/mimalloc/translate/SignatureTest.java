package dev.mimalloc.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignatureTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            (J)J   | void* mi_malloc(size_t size)             | { return (void*)(uintptr_t)X_f((int64_t)(ptrdiff_t)size); }
            (J)V   | void mi_free(void* p)                    | { X_f((int64_t)(uintptr_t)p); }
            (JZ)Z  | bool mi_f(const mi_heap_t* h, bool b)    | { return X_f((int64_t)(uintptr_t)h, (int32_t)b) != 0; }
            ()I    | int mi_version(void)                     | { return (int)X_f(); }
            (I)J   | long mi_option_get(mi_option_t option)   | { return mi_long(X_f((int32_t)option)); }
            (JJ)V  | void mi_g(mi_output_fun* out, void* arg) | { X_f((int64_t)(uintptr_t)out, (int64_t)(uintptr_t)arg); }
            ()J    | mi_subproc_id_t mi_h(void)               | { return (mi_subproc_id_t){(void*)(uintptr_t)X_f()}; }
            (J)V   | void mi_j(mi_subproc_id_t s)             | { X_f((int64_t)(uintptr_t)s._mi_subproc_id); }
            ()J    | mi_heap_t* mi_k(void)                    | { return (mi_heap_t*)(uintptr_t)X_f(); }
            (JJ)I  | int mi_i(void** p, const char *s)        | { return (int)X_f((int64_t)(uintptr_t)p, (int64_t)(uintptr_t)s); }
            """)
    void becomesAFunctionAroundTheMethod(String descriptor, String signature, String body) {
        var method = new Core.Method("dev.mimalloc.core.base.X", "f", descriptor, "X_f", false, List.of(signature));
        assertThat(Wrappers.wrapper(method, Signature.parse(signature))).endsWith("{ MI_SCOPE; " + body.substring(2) + "\n")
                .contains(signature.replace(" *s", "* s"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mi_malloc", "void mi_f()", "void mi_f(size_t)", "void mi_f(void (*f)(int))"})
    void whatIsNoSignatureIsRefused(String text) {
        assertThatThrownBy(() -> Signature.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aSignatureThatDoesNotFitIsRefused() {
        var method = new Core.Method("dev.mimalloc.core.base.X", "f", "(J)V", "X_f", false, List.of());
        assertThatThrownBy(() -> Wrappers.wrapper(method, Signature.parse("void mi_f(void)")))
                .hasMessageContaining("1 parameters");
        assertThatThrownBy(() -> Wrappers.wrapper(method, Signature.parse("int mi_f(int a)")))
                .hasMessageContaining("return something");
    }

    @Test
    void namesWithTwoUnderscoresStayInside() {
        assertThat(Signature.parse("void mi__thread_ended(int64_t theap)").isInternal()).isTrue();
        assertThat(Signature.parse("void* mi__expand(void* p, size_t newsize)").isInternal()).isFalse();
    }
}
