// --- The story of a guarded block, for whoever sees a fault at it -------------------------------------------------------
//
// Told in the middle of a fault, in any thread, also in the middle of the allocator: so it only reads and writes.

static int64_t Os_pageSize(void);

// An entry of core's table: Guarded.
typedef struct { mi_word block, bytes, start, heap, thread, freer, taken, kept; } mi_guarded;

static const mi_guarded* mi_guarded_blocks;  // the table, as long as faults are watched
static int64_t mi_guarded_count;

typedef struct { char text[256]; size_t length; } mi_line;

static void mi_line_add(mi_line* line, const char* text) {
  while (*text != 0 && line->length < sizeof(line->text)) line->text[line->length++] = *text++;
}

static void mi_line_number(mi_line* line, uint64_t number, unsigned base) {
  char digits[24], *at = digits + sizeof(digits) - 1;
  *at = 0;
  do *--at = "0123456789abcdef"[number % base]; while ((number /= base) != 0);
  mi_line_add(line, base == 16 ? "0x" : "");
  mi_line_add(line, at);
}

// The story of the block, preferably a living one, in whose mapping an address lies; NULL if there is none.
static const mi_guarded* mi_guarded_at(int64_t address) {
  const mi_guarded* found = NULL;
  for (const mi_guarded* g = mi_guarded_blocks; g != NULL && g < mi_guarded_blocks + mi_guarded_count; g++) {
    // The block's OS pages, at least one, and the guard. An entry that nobody has had yet is all zero.
    int64_t page = Os_pageSize(), pages = g->bytes <= page ? 1 : (g->bytes + page - 1) / page;
    if (g->start == 0 || address < g->start || address >= g->start + (pages + 1) * page) continue;
    if (found == NULL || __atomic_load_n(&g->freer, __ATOMIC_ACQUIRE) == 0) found = g;
  }
  return found;
}

// The kind of access: read, write or, where the machine does not tell, access.
static void mi_report_fault(const mi_guarded* g, uint64_t address, const char* kind) {
  uint64_t block = (uint64_t)g->block, size = (uint64_t)g->bytes;
  mi_line line = {.length = 0};
  mi_line_add(&line, "mimalloc: error: ");
  mi_line_add(&line, kind);
  mi_line_add(&line, " at ");
  mi_line_number(&line, address, 16);
  mi_line_add(&line, ", ");
  mi_line_number(&line, address < block ? block - address : address < block + size ? address - block : address - block - size, 10);
  mi_line_add(&line, address < block ? " bytes before" : address < block + size ? " bytes inside" : " bytes past the end of");
  mi_line_add(&line, g->freer != 0 ? " the freed block " : " the block ");
  mi_line_number(&line, block, 16);
  mi_line_add(&line, " of ");
  mi_line_number(&line, size, 10);
  mi_line_add(&line, " bytes in heap ");
  mi_line_number(&line, (uint64_t)g->heap, 10);
  mi_line_add(&line, ", allocated by thread ");
  mi_line_number(&line, (uint64_t)g->thread, 16);
  if (g->freer != 0) {
    mi_line_add(&line, ", freed by thread ");
    mi_line_number(&line, (uint64_t)g->freer, 16);
  }
  mi_line_add(&line, "\n");
  Os_write(MI_ADDRESS(line.text), (int64_t)line.length);
}
