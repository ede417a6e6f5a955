// --- Os: the environment, as C libraries have it ---------------------------------------------------------------------
#if MI_HAS_LIBC

extern char** environ;

static char mi_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c; }

// Not getenv: it may not be usable yet. The value's length; -1 when it is not set, -2 before there is an environment.
MI_OS int64_t Os_environment(int64_t name, int64_t buffer, int64_t size) {
  if (environ == NULL) return -2;
  for (char** each = environ; *each != NULL; each++) {
    const char *n = MI_AT(const char, name), *e = *each;
    while (*n != 0 && mi_lower(*n) == mi_lower(*e)) n++, e++;
    if (*n != 0 || *e++ != '=') continue;
    int64_t length = 0;
    for (; e[length] != 0; length++) {
      if (length < size - 1) MI_AT(char, buffer)[length] = e[length];
    }
    if (size > 0) MI_AT(char, buffer)[length < size ? length : size - 1] = 0;
    return length;
  }
  return -1;
}

MI_OS int64_t Os_variable(int64_t number, int64_t buffer, int64_t size) {
  static const char prefix[] = "mimalloc_";
  for (char** each = environ; each != NULL && *each != NULL; each++) {
    const char *p = prefix, *e = *each;
    while (*p != 0 && *p == mi_lower(*e)) p++, e++;
    if (*p != 0 || number-- > 0) continue;
    int64_t length = 0;
    for (e = *each; e[length] != 0 && e[length] != '='; length++) {
      if (length < size - 1) MI_AT(char, buffer)[length] = e[length];
    }
    MI_AT(char, buffer)[length < size ? length : size - 1] = 0;
    return length;
  }
  return -1;
}
#endif
