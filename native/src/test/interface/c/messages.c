// The functions of the user's: for errors, for output, for deferred frees.
#include "../check.h"

static struct { int count, code; void* arg; } last;

static void on_error(int code, void* arg) {
  last.count++;
  last.code = code;
  last.arg = arg;
}

#define ERROR_OF(expected, ...)              \
  last.count = 0;                            \
  CHECK(__VA_ARGS__);                        \
  CHECK(last.count == 1 && last.code == (expected) && last.arg == &last)

static void errors(void) {
  mi_register_error(on_error, &last);
  ERROR_OF(EOVERFLOW, mi_malloc(TOO_MUCH) == NULL);
  ERROR_OF(EOVERFLOW, mi_calloc(MANY, 8) == NULL);
  ERROR_OF(ENOMEM, mi_malloc(A_LOT) == NULL);
  ERROR_OF(EINVAL, mi_malloc_aligned(10, opaque(3)) == NULL);
  int local[8];
  last.count = 0;
  mi_free((char*)local + 1);
  CHECK(last.count == 1 && last.code == EINVAL);
  last.count = 0;
  CHECK(mi_realloc((char*)local + 1, opaque(10)) == NULL && last.count == 1);
  last.count = 0;
  CHECK(mi_usable_size((char*)local + 1) == 0 && last.count == 1);
  last.count = 0;
  mi_free(mi_malloc(10));
  mi_free(NULL);
  CHECK(last.count == 0);
  // The function may allocate.
  mi_register_error(NULL, NULL);
  CHECK(mi_malloc(TOO_MUCH) == NULL && last.count == 0);
}

static char printed[1 << 16];

static void on_output(const char* text, void* arg) {
  if (arg == printed && strlen(printed) + strlen(text) < sizeof(printed)) strcat(printed, text);
}

#define PRINTS(word, ...)  \
  printed[0] = 0;          \
  __VA_ARGS__;             \
  CHECK(strlen(printed) > 20 && strstr(printed, word) != NULL)

static void output(void) {
  mi_heap_t* heap = mi_heap_new();
  PRINTS("reserved", mi_stats_print_out(on_output, printed));
  PRINTS("reserved", mi_thread_stats_print_out(on_output, printed));
  PRINTS("pages", mi_heap_stats_print_out(heap, on_output, printed));
  PRINTS("pages", mi_subproc_stats_print_out(mi_subproc_main(), on_output, printed));
  PRINTS("pages", mi_subproc_heap_stats_print_out(mi_subproc_main(), on_output, printed));
  PRINTS("process", mi_process_info_print_out(on_output, printed));
  PRINTS("PURGE_DELAY", mi_options_print_out(on_output, printed));
  int lines = 0;
  for (const char* line = printed; (line = strchr(line, '\n')) != NULL; line++) lines++;
  CHECK(lines >= 47);
  CHECK(strstr(printed, "0.1") != NULL);  // our own version, beside the interface's
  // Without a function of their own they print where all output goes.
  mi_register_output(on_output, printed);
  PRINTS("reserved", mi_stats_print(NULL));
  PRINTS("reserved", mi_stats_print_out(NULL, NULL));
  PRINTS("process", mi_process_info_print());
  PRINTS("PURGE_DELAY", mi_options_print());
  PRINTS("arena", mi_arenas_print());
  PRINTS("arena", mi_debug_show_arenas());
  mi_option_enable(mi_option_show_errors);
  mi_option_set(mi_option_max_errors, 1000);  // a debug build has shown those that came before
  PRINTS("mimalloc: error", CHECK(mi_malloc(TOO_MUCH) == NULL));
  mi_option_set(mi_option_max_errors, 0);
  printed[0] = 0;
  CHECK(mi_malloc(TOO_MUCH) == NULL && printed[0] == 0);
  mi_option_set(mi_option_max_errors, 32);
  mi_option_disable(mi_option_show_errors);
  printed[0] = 0;
  CHECK(mi_malloc(TOO_MUCH) == NULL && printed[0] == 0);
  mi_register_output(NULL, NULL);
  mi_heap_destroy(heap);
}

static struct { size_t calls, forced; unsigned long long heartbeat; bool rises, nested; void* pending[100]; int count; } deferred;

static void on_deferred(bool force, unsigned long long heartbeat, void* arg) {
  static bool inside;
  if (arg != &deferred) return;
  if (inside) deferred.nested = true;
  inside = true;
  if (deferred.calls++ > 0 && heartbeat <= deferred.heartbeat) deferred.rises = false;
  deferred.heartbeat = heartbeat;
  deferred.forced += force;
  while (deferred.count > 0) mi_free(deferred.pending[--deferred.count]);
  mi_free(mi_malloc(5000));  // allowed, and does not come back here
  inside = false;
}

static void deferred_free(void) {
  deferred.rises = true;
  for (; deferred.count < 100; deferred.count++) deferred.pending[deferred.count] = mi_malloc(50);
  mi_register_deferred_free(on_deferred, &deferred);
  static void* blocks[20000];
  for (int i = 0; i < 20000; i++) blocks[i] = mi_malloc(64);
  CHECK(deferred.calls > 0 && deferred.rises && !deferred.nested && deferred.count == 0);
  for (int i = 0; i < 20000; i++) mi_free(blocks[i]);
  // In a bounded number of allocations, also when nothing but one size comes and goes.
  size_t calls = deferred.calls;
  for (int i = 0; i < 200000; i++) mi_free(mi_malloc(40));
  CHECK(deferred.calls > calls);
  deferred.forced = 0;
  mi_collect(true);
  CHECK(deferred.forced > 0);
  mi_register_deferred_free(NULL, NULL);
  calls = deferred.calls;
  mi_collect(true);
  CHECK(deferred.calls == calls);
}

void messages(void) {
  errors();
  output();
  deferred_free();
}
