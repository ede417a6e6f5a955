// All the ways to allocate, mixed: malloc, calloc, aligned_alloc, posix_memalign, operator new with delete of a known
// size, and the aligned operators; each block is freed by the form that belongs to it, and its alignment is checked.
// In the manner of the sized-delete and memalign loops in the malloc benchmark of gperftools.
#include "bench.h"

#include <new>

namespace {

enum class Form : uint8_t { none, malloc, calloc, aligned, posix, sized, aligned_new };
constexpr const char* names[] = {"", "malloc", "calloc", "aligned_alloc", "posix_memalign", "new", "aligned new"};
constexpr int forms = 6, slots = 4000;

struct Slot {
  void* block;
  uint32_t size;
  Form form;
  uint8_t alignment_log2;
};

void require_aligned(const Slot& slot, size_t alignment) {
  if (reinterpret_cast<uintptr_t>(slot.block) % alignment == 0) return;
  fprintf(stderr, "%s of %u bytes gave %p, which is not aligned to %zu\n", names[static_cast<int>(slot.form)],
      slot.size, slot.block, alignment);
  fail("a block is not aligned as it was asked for");
}

void open(Slot& slot, uint64_t random) {
  slot.form = static_cast<Form>(1 + random % forms);
  slot.size = static_cast<uint32_t>(skewed_size(random, 4, 12));
  slot.alignment_log2 = static_cast<uint8_t>(4 + (random >> 16) % 4);
  size_t alignment = size_t{1} << slot.alignment_log2;
  switch (slot.form) {
    case Form::none:
    case Form::malloc: slot.block = malloc(slot.size); alignment = 16; break;
    case Form::calloc:
      slot.block = calloc(1, slot.size);
      alignment = 16;
      if (static_cast<char*>(slot.block)[slot.size / 2] != 0) fail("calloc's block is not zero");
      break;
    case Form::aligned:
      slot.size = static_cast<uint32_t>((slot.size + alignment - 1) & ~(alignment - 1));
      slot.block = aligned_alloc(alignment, slot.size);
      break;
    case Form::posix:
      if (posix_memalign(&slot.block, alignment, slot.size) != 0) fail("out of memory");
      break;
    case Form::sized: slot.block = ::operator new(slot.size); alignment = 16; break;
    case Form::aligned_new: slot.block = ::operator new(slot.size, std::align_val_t{alignment}); break;
  }
  require_aligned(slot, alignment);
  mark(slot.block, slot.size);
}

uint64_t close(Slot& slot) {
  if (slot.form == Form::none) return 0;
  uint64_t size = check(slot.block);
  if (size != slot.size) fail("a block was overwritten");
  switch (slot.form) {
    case Form::sized: ::operator delete(slot.block, size_t{slot.size}); break;
    case Form::aligned_new:
      ::operator delete(slot.block, size_t{slot.size}, std::align_val_t{size_t{1} << slot.alignment_log2});
      break;
    default: free(slot.block);
  }
  slot.form = Form::none;
  return size;
}

} // namespace

extern "C" void work(void) {
  static Slot table[slots];
  uint64_t random = seed(0), sum = 0;
  size_t turns = scaled(12000000);
  for (size_t t = 0; t < turns; t++) {
    uint64_t r = next_random(&random);
    Slot& slot = table[r % slots];
    sum += close(slot);
    open(slot, next_random(&random));
  }
  for (auto& slot : table) sum += close(slot);
  add_to_checksum(sum);
}
