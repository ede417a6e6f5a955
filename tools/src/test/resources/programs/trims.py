# A service that gives memory back when it has a quiet moment, as many do by ctypes on glibc, and looks at what is in use.
import ctypes
import os

SIZES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in SIZES.split()]


libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Mallinfo2


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def in_use():
    return libc.mallinfo2().uordblks


before = in_use()
blocks = [b"x" * (2000 + i % 10) for i in range(50000)]
held, full = in_use() - before, resident()
del blocks
freed, waiting = in_use() - before, resident()
answers = [libc.malloc_trim(0), libc.malloc_trim(0)]
trimmed = resident()
assert held >= 50000 * 2000, held
assert freed < held / 10, freed
assert waiting - trimmed > 20 << 20, (waiting, trimmed)
assert full - trimmed > 80 << 20, (full, trimmed)
print("trimmed", *answers)
