// A small program: valgrind should find nothing to say about it.
#include <mimalloc.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  mi_heap_t* heap = mi_heap_new();
  char* texts[100];
  for (int i = 0; i < 100; i++) {
    texts[i] = mi_heap_strdup(heap, "a text of the heap's");
    texts[i] = (char*)mi_realloc(texts[i], (size_t)i * 50 + 100);
    strcat(texts[i], ", and more");
  }
  for (int i = 0; i < 100; i += 2) mi_free(texts[i]);
  int* numbers = mi_calloc_tp(int, 1000000);
  int sum = 0;
  for (int i = 0; i < 1000000; i++) sum += numbers[i];
  mi_free(numbers);
  mi_heap_delete(heap);
  printf("%s, %d\n", texts[1], sum);
  for (int i = 1; i < 100; i += 2) mi_free(texts[i]);
  return sum;
}
