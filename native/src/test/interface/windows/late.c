// A DLL that knows nothing of mimalloc, for unaware.c.
#include <stdlib.h>
__declspec(dllexport) void* late_get(size_t size) { return malloc(size); }
__declspec(dllexport) void late_put(void* p) { free(p); }
