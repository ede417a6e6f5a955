"""Pools of processes and of threads that hand objects to each other, by fork and by spawn."""
import concurrent.futures
import ctypes
import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading


def digest(number):
    words = [f"{number}-{i}" for i in range(2000)]
    table = {word: word * 3 for word in words}
    return hashlib.md5(repr(sorted(table.items())).encode()).hexdigest(), table[f"{number}-7"]


def library_in_use():
    with open("/proc/self/maps") as maps:
        mapped = os.environ["LD_PRELOAD"] in maps.read()
    c = ctypes.CDLL(None)
    c.malloc.restype = ctypes.c_void_p
    c.mi_is_in_heap_region.restype = ctypes.c_bool
    block = c.malloc(ctypes.c_size_t(100))
    ours = c.mi_is_in_heap_region(ctypes.c_void_p(block))
    c.free(ctypes.c_void_p(block))
    return mapped and ours


def main():
    assert library_in_use()
    here = [digest(n) for n in range(60)]
    for method in "fork", "spawn":
        with multiprocessing.get_context(method).Pool(4) as pool:
            assert pool.map(digest, range(60)) == here, method
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(digest, range(60))) == here
    # Forks from a process with busy threads.
    stop = threading.Event()
    busy = [threading.Thread(target=lambda: [digest(1) for _ in iter(stop.is_set, True)]) for _ in range(4)]
    for thread in busy:
        thread.start()
    for _ in range(60):
        child = os.fork()
        if child == 0:
            os._exit(0 if digest(3) == here[3] else 1)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for thread in busy:
        thread.join()
    echoed = [subprocess.run(["/bin/echo", str(n)], capture_output=True, text=True).stdout for n in range(60)]
    assert echoed == [f"{n}\n" for n in range(60)]
    assert subprocess.run([sys.executable, "-c", "print(len('x' * 10_000_000))"],
                          capture_output=True, text=True).stdout == "10000000\n"
    print("processes")


if __name__ == "__main__":
    main()
