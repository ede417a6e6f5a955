// --- The story of a guarded block, for whoever sees a fault at it -------------------------------------------------------
//
// Told in the middle of a fault, in any thread, also in the middle of the allocator: so it only reads and writes.

static int64_t Os_pageSize(void);

// An entry of core's table: Guarded.
typedef struct { mi_word block, bytes, start, heap, thread, freer, taken, kept; } mi_guarded;

static const mi_guarded* mi_guarded_blocks;  // the table, as long as faults are watched
static int64_t mi_guarded_count;

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
  char told[256];
  mi_text line = {told, told + sizeof(told) - 1};
  mi_text_add(&line, "mimalloc: error: ");
  mi_text_add(&line, kind);
  mi_text_add(&line, " at ");
  mi_text_address(&line, address);
  mi_text_add(&line, ", ");
  mi_text_number(&line, address < block ? block - address : address < block + size ? address - block : address - block - size);
  mi_text_add(&line, address < block ? " bytes before" : address < block + size ? " bytes inside" : " bytes past the end of");
  mi_text_add(&line, g->freer != 0 ? " the freed block " : " the block ");
  mi_text_address(&line, block);
  mi_text_add(&line, " of ");
  mi_text_number(&line, size);
  mi_text_add(&line, " bytes in heap ");
  mi_text_number(&line, (uint64_t)g->heap);
  mi_text_add(&line, ", allocated by thread ");
  mi_text_address(&line, (uint64_t)g->thread);
  if (g->freer != 0) {
    mi_text_add(&line, ", freed by thread ");
    mi_text_address(&line, (uint64_t)g->freer);
  }
  mi_text_add(&line, "\n");
  Os_write(MI_ADDRESS(told), line.at - told);
}
