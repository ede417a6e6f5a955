// Threads as the system has them.
#pragma once
#include <stdbool.h>

/// How many threads there are, and how many of them the system may keep when they are done.
extern const int THREADS, LASTING;

/// Does some work in a thread of its own, and waits for its end. The ways to make one take turns, by the number.
bool run_thread(int number, void (*work)(void));
