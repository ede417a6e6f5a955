// --- Os: an output function of core's that writes to an open file ------------------------------------------------------

static void mi_output_to_file(const char* text, void* argument) {
  int64_t* file = argument;
  int64_t at = MI_ADDRESS(text), end = at + (int64_t)__builtin_strlen(text);
  while (at < end && file[1] == 0) {
    int64_t written = Os_writeTo(file[0], at, end - at);
    if (written > 0) at += written;
    else if (written != MI_INTERRUPTED) file[1] = 1;
  }
}

MI_OS int64_t Os_fileOutput(void) { return MI_ADDRESS(mi_output_to_file); }
