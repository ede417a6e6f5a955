// What all test programs need: a check that says where it failed.
#pragma once
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
      _Exit(1);                                                                 \
    }                                                                           \
  } while (0)
