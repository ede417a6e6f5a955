// --- The stack: which calls the calling thread is in -------------------------------------------------------------------
//
// Asked in the middle of malloc, in any thread, in a signal handler, under any lock: so nothing here allocates, locks or
// faults, or keeps much on the stack. Each step upwards goes by the first that holds of
//   the unwind tables (DWARF's call frame information), which nearly all code has. glibc since 2.35 tells without a lock
//     which object an address is of, and where its tables are;
//   the registers that the kernel keeps while a signal handler runs;
//   frame pointers, where code has no tables (it was made at run time), or nobody tells where they are.
#if !defined(_WIN32)

#if !defined(MI_HAS_CFI)
#if defined(__linux__) && defined(__LP64__) && (defined(__x86_64__) || (defined(__aarch64__) && !defined(__AARCH64EB__)))
#define MI_HAS_CFI 1
#else
#define MI_HAS_CFI 0
#endif
#endif

// The registers that are followed, by DWARF's numbers from the first on: on x86-64 all, and the return address; on aarch64
// x16 to x30, and sp.
#if MI_HAS_CFI && defined(__x86_64__)
enum { MI_FIRST_REGISTER = 0, MI_FP = 6, MI_SP = 7, MI_PC = 16, MI_REGISTERS = 17 };
#elif MI_HAS_CFI
enum { MI_FIRST_REGISTER = 16, MI_FP = 13, MI_SP = 15, MI_REGISTERS = 16 };
#else
enum { MI_FP, MI_SP, MI_REGISTERS };
#endif
enum { MI_FRAME_MAX = 256 << 10 };  // the largest frame that is believed of a frame pointer
enum { MI_STACK_MAX = 1 << 30 };    // the largest stack, where nobody tells
enum { MI_UNIT = 4 << 10 };         // the smallest OS page of all systems
enum { MI_CODE_MIN = 4 << 10 };     // no code lies below

typedef struct {
  uintptr_t registers[MI_REGISTERS + 1];  // 0 is not known; the last stands for all that are not followed
  uintptr_t pc;
  uintptr_t low;                // no frame further up begins below
  uintptr_t start, end;         // what is known to be readable
  bool is_interrupted;          // pc is where a signal came, and not where a call returns to
} mi_walk;

typedef struct __attribute__((packed, may_alias)) { uintptr_t word; } mi_anywhere;

#if defined(__linux__)
// More is asked for when it is met.
static uintptr_t mi_stack_end(uintptr_t here) { return (here | (MI_UNIT - 1)) + 1; }

// The kernel reads a set of signals before it says that it does not know what to do with them.
static bool mi_can_read(uintptr_t a) { return syscall(SYS_rt_sigprocmask, -1L, a, NULL, 8L) == -1 && errno == EINVAL; }

// One call for each OS page: a thread does not know which stack it is on, nor where that ends.
static bool mi_is_readable(mi_walk* walk, uintptr_t a, size_t size) {
  static int works;  // 0 not asked yet; 1 no: an emulator looks at its arguments in another order; 2 yes
  if (a >= walk->start && a < walk->end && walk->end - a >= size) return true;
  if (a > UINTPTR_MAX - size) return false;
  int saved = errno, known = __atomic_load_n(&works, __ATOMIC_RELAXED);
  if (known == 0) __atomic_store_n(&works, known = mi_can_read(-(uintptr_t)MI_UNIT) ? 1 : 2, __ATOMIC_RELAXED);
  uintptr_t page = a & -(uintptr_t)MI_UNIT, end = page;
  while (known == 2 && end < a + size && mi_can_read(end)) end += MI_UNIT;
  errno = saved;
  if (end < a + size) return false;
  if (page > walk->end || page < walk->start) walk->start = page;
  walk->end = end;
  return true;
}
#else
// A thread's own data lies behind its stack; on a stack of another kind an OS page is enough.
static uintptr_t mi_stack_end(uintptr_t here) {
  uintptr_t self = (uintptr_t)ThreadSlot_id();
  if (here < self && self - here < MI_STACK_MAX) return self;
  return (here | ((uintptr_t)Os_pageSize() - 1)) + 1;
}

static bool mi_is_readable(mi_walk* walk, uintptr_t a, size_t size) {
  return a >= walk->start && a < walk->end && walk->end - a >= size;
}
#endif

__attribute__((no_sanitize("address"))) static bool mi_read(mi_walk* walk, uintptr_t a, uintptr_t* word) {
  if (!mi_is_readable(walk, a, sizeof(*word))) return false;
  *word = ((const mi_anywhere*)a)->word;
  return true;
}

// On aarch64 an address may be signed; a processor that does not know of it takes the instruction, xpaclri, for a nop.
static uintptr_t mi_without_signature(uintptr_t pc) {
#if defined(__aarch64__)
  register uintptr_t x30 __asm__("x30") = pc;
  __asm__("hint #7" : "+r"(x30));
  return x30;
#else
  return pc;
#endif
}

// A frame begins with the address of the one below, and where it returns to. riscv64 has the two below where it points.
static bool mi_step_by_frame(mi_walk* walk) {
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__riscv)
  uintptr_t frame = walk->registers[MI_FP], next, pc;
#if defined(__riscv)
  frame -= 2 * sizeof(frame);
#endif
  if (frame < walk->low || frame - walk->low > MI_FRAME_MAX || frame % sizeof(frame) != 0) return false;
  if (!mi_read(walk, frame, &next) || !mi_read(walk, frame + sizeof(frame), &pc)) return false;
  walk->low = frame + 2 * sizeof(frame);
  walk->registers[MI_FP] = next;
#if defined(__aarch64__)
  walk->registers[MI_SP] = 0;  // more of the frame may lie above
#else
  walk->registers[MI_SP] = walk->low;
#endif
  walk->pc = mi_without_signature(pc);
  walk->is_interrupted = false;
  return walk->pc >= MI_CODE_MIN;
#else
  return (void)walk, (void)mi_read, (void)mi_without_signature, false;
#endif
}

#if MI_HAS_CFI
#if defined(__aarch64__)
// A signal handler returns to code that asks the kernel to go on: a mov of the call's number, and the call. The registers, x0
// first, then sp and pc, lie on the stack behind what the handler is told (128 bytes) and the head of the context (184).
static bool mi_step_by_signal(mi_walk* walk) {
  uintptr_t code, pc, sp = walk->registers[MI_SP], at = sp + 128 + 184 + 8 * MI_FIRST_REGISTER, registers[MI_REGISTERS];
  if (sp == 0 || !mi_read(walk, walk->pc, &code) || code != UINT64_C(0xD4000001D2801168)) return false;
  for (int i = 0; i < MI_REGISTERS; i++, at += 8) {
    if (!mi_read(walk, at, registers + i)) return false;
  }
  if (!mi_read(walk, at, &pc) || pc < MI_CODE_MIN) return false;
  __builtin_memcpy(walk->registers, registers, sizeof(registers));
  walk->low = registers[MI_SP];
  walk->pc = pc;
  return walk->is_interrupted = true;
}
#else
static bool mi_step_by_signal(mi_walk* walk) { return (void)walk, false; }  // tables tell of it
#endif

// glibc's struct dl_find_object, which older headers have not. The header is that of the tables: .eh_frame_hdr.
typedef struct { unsigned long long flags; void *start, *end, *map; const unsigned char* header; uint64_t rest[9]; } mi_object;
// Its version, and how the tables' address, the number of entries and the entries are written; then these. All linkers that
// there are write 1, and addresses of 32 bits relative to the header.
enum { MI_HEADER = 0x3B031B01 };
typedef struct { uint32_t kinds; int32_t tables; uint32_t count; struct { int32_t code, entry; } sorted[]; } mi_header;

// glibc's _dl_find_object. It is looked for by its name, as a reference to it would make a library that needs glibc 2.35.
static int (*mi_find_object)(void* pc, mi_object* found);

static void mi_prepare_walks(void) {
  if (dlsym != NULL && mi_find_object == NULL) *(void**)&mi_find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
}

typedef struct { const unsigned char *at, *end; bool is_over; } mi_bytes;

MI_INLINE uint64_t mi_take(mi_bytes* bytes, int size) {
  uint64_t value = 0;
  bytes->is_over |= size > bytes->end - bytes->at;
  if (bytes->is_over) return 0;
  for (int i = 0; i < size; i++) value |= (uint64_t)*bytes->at++ << (8 * i);
  return value;
}

// LEB128: seven bits in each byte, the lowest first.
MI_INLINE uint64_t mi_take_number(mi_bytes* bytes, bool is_signed) {
  uint64_t value = 0, byte;
  int shift = 0;
  do {
    byte = mi_take(bytes, 1);
    if (shift < 64) value |= (byte & 0x7F) << shift;
    shift += 7;
  } while (byte & 0x80);
  return is_signed && (byte & 0x40) && shift < 64 ? value | ~UINT64_C(0) << shift : value;
}

// DW_EH_PE: a format, and what it is relative to, which is nothing or where it stands.
static uint64_t mi_take_address(mi_bytes* bytes, unsigned encoding) {
  uint64_t from = (encoding & 0x70) == 0x10 ? (uint64_t)(uintptr_t)bytes->at : 0;
  bytes->is_over |= (encoding & 0x70) > 0x10;
  switch (encoding & 0x0F) {
    case 0x00: case 0x04: case 0x0C: return from + mi_take(bytes, 8);
    case 0x03: return from + mi_take(bytes, 4);
    case 0x0B: return from + (uint64_t)(int32_t)mi_take(bytes, 4);
    default: bytes->is_over = true; return 0;
  }
}

// The entry of a function: its common part (CIE) and its own (FDE), of which the instructions are left.
typedef struct {
  mi_bytes common, own;
  const unsigned char* base;  // of expressions' places
  uintptr_t start;            // of the function
  uint64_t code_unit;
  int64_t data_unit;
  unsigned encoding, return_register;
  bool is_signal;             // what called is what was interrupted
} mi_entry;

static bool mi_take_common(mi_entry* entry) {
  mi_bytes* bytes = &entry->common;
  uint64_t version = mi_take(bytes, 1);
  if (version != 1 && version != 3) return false;
  const unsigned char* letter = bytes->at;
  while (mi_take(bytes, 1) != 0) {}
  entry->code_unit = mi_take_number(bytes, false);
  entry->data_unit = (int64_t)mi_take_number(bytes, true);
  entry->return_register = (unsigned)(version == 1 ? mi_take(bytes, 1) : mi_take_number(bytes, false));
  if (bytes->is_over || *letter++ != 'z') return false;
  uint64_t size = mi_take_number(bytes, false);
  const unsigned char* end = bytes->at + size;
  for (; *letter != 0 && !bytes->is_over; letter++) {
    switch (*letter) {
      case 'R': entry->encoding = (unsigned)mi_take(bytes, 1); break;
      case 'L': mi_take(bytes, 1); break;
      case 'P': mi_take_address(bytes, (unsigned)mi_take(bytes, 1)); break;
      case 'S': entry->is_signal = true; break;
      case 'B': case 'G': break;  // which key signs return addresses; whether the stack is tagged
      default: return false;
    }
  }
  bytes->at = end;
  return !bytes->is_over;
}

// The bytes of an entry behind its length and its second word. Those of 64-bit DWARF nobody writes.
static mi_bytes mi_take_entry(const unsigned char* at, uint64_t* word) {
  mi_bytes bytes = {at, at + 8, false};
  uint64_t length = mi_take(&bytes, 4);
  *word = mi_take(&bytes, 4);
  bytes.is_over = length < 4 || length >= 0xFFFFFFF0;
  bytes.end = at + 4 + length;
  return bytes;
}

// The entry that may be of the function at an address: the last that begins at or before it. NULL if there is none.
static const unsigned char* mi_find_entry(uintptr_t pc) {
  mi_object object;
  if (mi_find_object == NULL || mi_find_object((void*)pc, &object) != 0 || object.header == NULL) return NULL;
  const mi_header* all = (const void*)object.header;
  if (all->kinds != MI_HEADER) return NULL;
  int64_t distance = (int64_t)(pc - (uintptr_t)all);
  uint32_t low = 0, high = all->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (all->sorted[middle].code <= distance) low = middle + 1;
    else high = middle;
  }
  return low == 0 ? NULL : object.header + all->sorted[low - 1].entry;
}

static bool mi_open_entry(const unsigned char* place, uintptr_t pc, mi_entry* entry) {
  uint64_t back, none;
  *entry = (mi_entry){.base = place};
  entry->own = mi_take_entry(place, &back);
  entry->common = mi_take_entry(place + 4 - back, &none);
  if (none != 0 || !mi_take_common(entry)) return false;
  entry->start = mi_take_address(&entry->own, entry->encoding);
  uint64_t length = mi_take_address(&entry->own, entry->encoding & 0x0F), more = mi_take_number(&entry->own, false);
  entry->own.at += more;
  return !entry->own.is_over && pc - entry->start < length;
}

// How the caller's registers are had: left alone, lost, in memory at the frame's address and a number, that sum itself, in
// another register, in memory at what an expression gives, that itself. A rule has the number above the kind's three bits.
enum { MI_SAME, MI_LOST, MI_SAVED, MI_SUM, MI_MOVED, MI_SAVED_BY, MI_GIVEN_BY };
enum { MI_REMEMBERED = 2 };  // rows at once: compilers keep one
typedef struct { int32_t rules[MI_REGISTERS + 1]; int32_t frame_register; int64_t frame; } mi_row;  // no register: an expression

static unsigned mi_slot(uint64_t number) {
  return number - MI_FIRST_REGISTER < MI_REGISTERS ? (unsigned)number - MI_FIRST_REGISTER : MI_REGISTERS;
}

static int32_t mi_rule(int kind, int64_t number) { return (int32_t)((uint32_t)number << 3 | (uint32_t)kind); }

// The place of an expression, over which it goes.
static int64_t mi_take_expression(const mi_entry* entry, mi_bytes* bytes) {
  int64_t place = bytes->at - entry->base;
  uint64_t size = mi_take_number(bytes, false);
  bytes->at += size;
  return place;
}

// Does what the instructions (DW_CFA) say up to the address. The initial row is the one that the common part leaves.
static bool mi_run(const mi_entry* entry, mi_bytes bytes, uintptr_t pc, mi_row* row, const mi_row* initial) {
  mi_row rows[MI_REMEMBERED];
  uintptr_t at = entry->start;
  int remembered = 0;
  while (bytes.at < bytes.end && !bytes.is_over && at <= pc) {
    unsigned code = (unsigned)mi_take(&bytes, 1), low = code & 0x3F;
    if (code >> 6 == 1) {  // three have a number in their lower bits, and are nearly all there are
      at += low * entry->code_unit;
      continue;
    }
    int64_t unit = entry->data_unit;
    if (code >> 6 == 2) row->rules[mi_slot(low)] = mi_rule(MI_SAVED, (int64_t)mi_take_number(&bytes, false) * unit);
    if (code >> 6 == 3) row->rules[mi_slot(low)] = initial->rules[mi_slot(low)];
    if (code >> 6 != 0) continue;
    bool has_register = code < 0x20 && (0x7733E0 >> code & 1) != 0;
    uint64_t n = has_register ? mi_take_number(&bytes, false) : 0;
    int32_t* rule = &row->rules[mi_slot(n)];
    switch (code) {
      case 0x00: case 0x2D: break;  // the second one: from here on aarch64's addresses are signed, or no longer
      case 0x02: at += mi_take(&bytes, 1) * entry->code_unit; break;
      case 0x03: at += mi_take(&bytes, 2) * entry->code_unit; break;
      case 0x04: at += mi_take(&bytes, 4) * entry->code_unit; break;
      case 0x01: at = mi_take_address(&bytes, entry->encoding); break;
      case 0x06: *rule = initial->rules[rule - row->rules]; break;
      case 0x07: *rule = MI_LOST; break;
      case 0x08: *rule = MI_SAME; break;
      case 0x09: *rule = mi_rule(MI_MOVED, (int64_t)mi_take_number(&bytes, false)); break;
      case 0x05: case 0x11: *rule = mi_rule(MI_SAVED, (int64_t)mi_take_number(&bytes, code == 0x11) * unit); break;
      case 0x14: case 0x15: *rule = mi_rule(MI_SUM, (int64_t)mi_take_number(&bytes, code == 0x15) * unit); break;
      case 0x10: case 0x16: *rule = mi_rule(code == 0x10 ? MI_SAVED_BY : MI_GIVEN_BY, mi_take_expression(entry, &bytes)); break;
      case 0x0A:
        if (remembered == MI_REMEMBERED) return false;
        rows[remembered++] = *row;
        break;
      case 0x0B:
        if (remembered == 0) return false;
        *row = rows[--remembered];
        break;
      case 0x0D: row->frame_register = (int32_t)mi_slot(n); break;
      case 0x0C: case 0x12: row->frame_register = (int32_t)mi_slot(n);  // fall through
      case 0x0E: case 0x13: row->frame = (int64_t)mi_take_number(&bytes, code >= 0x12) * (code >= 0x12 ? unit : 1); break;
      case 0x0F:
        row->frame_register = -1;
        row->frame = mi_take_expression(entry, &bytes);
        break;
      case 0x2E: mi_take_number(&bytes, false); break;  // how much a callee takes off
      default: return false;
    }
  }
  return !bytes.is_over;
}

// An expression's value: a small machine with a stack (DW_OP), of which PLTs and signal frames need what is here.
static bool mi_evaluate(mi_walk* walk, const unsigned char* place, uintptr_t frame, uintptr_t* result) {
  mi_bytes bytes = {place, place + 10, false};
  uint64_t size = mi_take_number(&bytes, false);
  bytes.end = bytes.at + size;
  uintptr_t stack[8] = {frame}, *top = stack, value;
  while (bytes.at < bytes.end && !bytes.is_over) {
    unsigned code = (unsigned)mi_take(&bytes, 1);
    bool adds = (code >= 0x30 && code <= 0x4F) || (code >= 0x70 && code <= 0x8F) || (code >= 0x08 && code <= 0x12);
    bool takes_two = code == 0x1A || code == 0x22 || code == 0x24 || code == 0x2A;
    if ((adds && top++ == stack + 7) || (takes_two && top == stack)) return false;
    value = takes_two ? *top-- : 0;
    if (code >= 0x30 && code <= 0x4F) *top = code - 0x30;
    else if (code >= 0x70 && code <= 0x8F) *top = walk->registers[mi_slot(code - 0x70)] + mi_take_number(&bytes, true);
    else switch (code) {
      case 0x06: if (!mi_read(walk, *top, top)) { return false; } break;
      case 0x08: *top = mi_take(&bytes, 1); break;
      case 0x0A: *top = mi_take(&bytes, 2); break;
      case 0x10: case 0x11: *top = mi_take_number(&bytes, code == 0x11); break;
      case 0x12: *top = top[-1]; break;
      case 0x1A: *top &= value; break;
      case 0x22: *top += value; break;
      case 0x23: *top += mi_take_number(&bytes, false); break;
      case 0x24: *top = value < 64 ? *top << value : 0; break;
      case 0x2A: *top = (intptr_t)*top >= (intptr_t)value; break;
      default: return false;
    }
  }
  *result = *top;
  return !bytes.is_over;
}

// What the tables say of an address. To read it takes most of a step's time, and the same calls come again and again: so
// the rows that were read last are kept. A library may go, and another come to its place, which the bytes of its entry
// tell. A row with an expression, which lies in the library, is not kept.
typedef struct { mi_row row; const unsigned char* base; unsigned return_register; bool is_signal; } mi_rules;
typedef struct {
  int64_t busy;  // somebody reads or writes it: who comes meanwhile goes without
  uintptr_t pc;
  uint64_t digest;  // of the entry
  mi_rules rules;
} mi_kept;
enum { MI_KEPT_BITS = 10 };
enum { MI_DIGEST_MAX = 1024 };  // bytes of an entry, which has 20 to 100

static uint64_t mi_digest(const unsigned char* entry) {
  uint32_t length, word;
  __builtin_memcpy(&length, entry, sizeof(length));
  uint64_t digest = length;
  for (uint32_t i = sizeof(word); i <= length && i < MI_DIGEST_MAX; i += sizeof(word)) {
    __builtin_memcpy(&word, entry + i, sizeof(word));
    digest = (digest ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  }
  return digest;
}

static bool mi_has_expression(const mi_row* row) {
  bool has = row->frame_register < 0;
  for (int i = 0; i < MI_REGISTERS; i++) has |= (row->rules[i] & 7) >= MI_SAVED_BY;
  return has;
}

static bool mi_read_rules(const unsigned char* place, uintptr_t pc, mi_rules* rules) {
  mi_entry entry;
  mi_row initial = {.frame_register = MI_REGISTERS};
  if (!mi_open_entry(place, pc, &entry) || !mi_run(&entry, entry.common, UINTPTR_MAX, &initial, &initial)) return false;
  *rules = (mi_rules){initial, place, entry.return_register, entry.is_signal};
  return mi_run(&entry, entry.own, pc, &rules->row, &initial);
}

static bool mi_find_rules(uintptr_t pc, mi_rules* rules) {
  static mi_kept all[1 << MI_KEPT_BITS];
  const unsigned char* place = mi_find_entry(pc);
  if (place == NULL) return false;
  mi_kept* kept = &all[(uint64_t)pc * UINT64_C(0x9E3779B97F4A7C15) >> (64 - MI_KEPT_BITS)];
  if (__atomic_exchange_n(&kept->busy, 1, __ATOMIC_ACQUIRE) != 0) return mi_read_rules(place, pc, rules);
  uint64_t digest = mi_digest(place);
  bool known = kept->pc == pc && kept->rules.base == place && kept->digest == digest;
  if (known) *rules = kept->rules;
  bool found = known || mi_read_rules(place, pc, rules);
  if (found && !known && !mi_has_expression(&rules->row)) {
    kept->pc = pc;
    kept->digest = digest;
    kept->rules = *rules;
  }
  __atomic_store_n(&kept->busy, 0, __ATOMIC_RELEASE);
  return found;
}

typedef enum { MI_STEPPED, MI_ENDED, MI_NO_TABLE } mi_step;

static mi_step mi_step_by_table(mi_walk* walk) {
  mi_rules rules;
  uintptr_t pc = walk->pc - !walk->is_interrupted, frame, registers[MI_REGISTERS];  // a call may be a function's last
  if (!mi_find_rules(pc, &rules)) return MI_NO_TABLE;
  const mi_row* row = &rules.row;
#if defined(__x86_64__)
  walk->registers[MI_PC] = walk->pc;
#else
  if (rules.is_signal) return MI_NO_TABLE;  // old kernels' tables give x30 for the place that was interrupted
#endif
  int32_t returns = row->rules[mi_slot(rules.return_register)];
  if (returns == MI_LOST || (returns == MI_SAME && !walk->is_interrupted)) return MI_ENDED;
  if (row->frame_register >= 0) frame = walk->registers[row->frame_register] + (uintptr_t)row->frame;
  else if (!mi_evaluate(walk, rules.base + row->frame, 0, &frame)) return MI_NO_TABLE;
  if (!rules.is_signal && frame < walk->low + !walk->is_interrupted) return MI_NO_TABLE;
  __builtin_memcpy(registers, walk->registers, sizeof(registers));
  registers[MI_SP] = frame;
  for (int i = 0; i < MI_REGISTERS; i++) {
    if (row->rules[i] == MI_SAME) continue;
    int64_t number = row->rules[i] >> 3;
    uintptr_t value = walk->registers[i];
    bool is_known = true;
    switch (row->rules[i] & 7) {
      case MI_SAVED: is_known = mi_read(walk, frame + (uintptr_t)number, &value); break;
      case MI_SUM: value = frame + (uintptr_t)number; break;
      case MI_MOVED: value = walk->registers[mi_slot((uint64_t)number)]; break;
      case MI_GIVEN_BY: is_known = mi_evaluate(walk, rules.base + number, frame, &value); break;
      case MI_SAVED_BY: is_known = mi_evaluate(walk, rules.base + number, frame, &value) && mi_read(walk, value, &value); break;
      default: break;
    }
    if (!is_known) return MI_NO_TABLE;
    registers[i] = value;
  }
  __builtin_memcpy(walk->registers, registers, sizeof(registers));
  walk->low = walk->registers[MI_SP];
  walk->pc = mi_without_signature(walk->registers[mi_slot(rules.return_register)]);
  walk->is_interrupted = rules.is_signal;
  return walk->pc >= MI_CODE_MIN ? MI_STEPPED : MI_ENDED;
}
#else
static void mi_prepare_walks(void) {}
#endif

static int mi_walk_up(mi_walk* walk, uintptr_t* callers, int max) {
  int n = 0;
  while (n < max) {
#if MI_HAS_CFI
    mi_step step = mi_step_by_table(walk);
    if (step == MI_ENDED || (step == MI_NO_TABLE && !mi_step_by_signal(walk) && !mi_step_by_frame(walk))) break;
#else
    if (!mi_step_by_frame(walk)) break;
#endif
    callers[n++] = walk->pc;
  }
  return n;
}

// The addresses that the thread's calls return to, the caller's own first, and where a signal came; how many.
__attribute__((unused)) MI_SLOW int mi_unwind(uintptr_t* callers, int max) {
  mi_walk walk = {.is_interrupted = true};
#if MI_HAS_CFI && defined(__x86_64__)
  __asm__ volatile(
      "movq %%rbx, 24(%1)\n\tmovq %%rbp, 48(%1)\n\tmovq %%rsp, 56(%1)\n\tmovq %%r12, 96(%1)\n\tmovq %%r13, 104(%1)\n\t"
      "movq %%r14, 112(%1)\n\tmovq %%r15, 120(%1)\n\tleaq 0(%%rip), %0"
      : "=&r"(walk.pc) : "r"(walk.registers) : "memory");
#elif MI_HAS_CFI
  __asm__ volatile(
      "stp x16, x17, [%1]\n\tstp x18, x19, [%1, 16]\n\tstp x20, x21, [%1, 32]\n\tstp x22, x23, [%1, 48]\n\t"
      "stp x24, x25, [%1, 64]\n\tstp x26, x27, [%1, 80]\n\tstp x28, x29, [%1, 96]\n\tmov %0, sp\n\t"
      "stp x30, %0, [%1, 112]\n\tadr %0, ."
      : "=&r"(walk.pc) : "r"(walk.registers) : "memory");
#else
  walk.registers[MI_SP] = (uintptr_t)__builtin_frame_address(0) - 2 * sizeof(uintptr_t);  // riscv's frame lies there
#endif
  walk.registers[MI_FP] = (uintptr_t)__builtin_frame_address(0);
  walk.low = walk.start = walk.registers[MI_SP];
  walk.end = mi_stack_end(walk.start);
  int n = mi_walk_up(&walk, callers, max);
  if (n == 0 && max > 0) callers[n++] = (uintptr_t)__builtin_return_address(0);
  return n;
}
#endif
