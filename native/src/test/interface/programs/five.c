#include <mimalloc-stats.h>
#include <mimalloc.h>
#include <stdio.h>
int main(void) {
  char* text = mi_strdup("five lines");
  printf("%s, version %d\n", text, mi_version());
  mi_free(text);
  return 0;
}
