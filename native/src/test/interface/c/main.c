// The C interface by its contract: every function, and what it does with what it should not get.
#include "../check.h"

int checks, failures;

#if HAS_PROCESSES
#define LOCKED(topic) topic(locked)
#define FORKS(topic) topic(forks)
#define ARENAS(topic) topic(arenas)
#else
#define LOCKED(topic)
#define FORKS(topic)
#define ARENAS(topic)
#endif
#if HAS_THREADS
#define THREADS(topic) topic(subprocesses) topic(threads)
#else
#define THREADS(topic)
#endif
#define TOPICS(topic) \
  LOCKED(topic) topic(layout) topic(allocate) topic(aligned) topic(names) topic(heaps) topic(theaps) topic(visit) \
  topic(messages) topic(options) topic(statistics) topic(profile) ARENAS(topic) THREADS(topic) FORKS(topic)

#define DECLARE(topic) void topic(void);
TOPICS(DECLARE)

int answer_option(int argc, char** argv);  // for options.c, which runs this program again

int main(int argc, char** argv) {
#if HAS_PROCESSES
  if (argc > 1 && strcmp(argv[1], "option") == 0) return answer_option(argc, argv);
#endif
  mi_option_set(mi_option_abort_on_misuse, 0);  // what is reported is looked at, in a hardened library too
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char* only = argc > 1 ? argv[1] : NULL;
#define RUN(topic)                                                    \
  if (only == NULL || strcmp(only, #topic) == 0) {                    \
    int before = checks;                                              \
    topic();                                                          \
    printf("%-14s %4d checks\n", #topic, checks - before);            \
  }
  TOPICS(RUN)
  printf("C: %d checks, %d failed\n", checks, failures);
  return failures == 0 && checks > 0 ? 0 : 1;
}
