#!/usr/bin/env bash
# CPython's own tests of what allocates most. Each object comes from malloc, as PYTHONMALLOC asks for.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

prepare() { :; }

if [ -d "$tree/usr/lib" ]; then export PYTHONHOME="$tree/usr"; fi
python=$(basename "$(ls "$tree"/usr/bin/python3.* | grep -x '.*/python3\.[0-9]*' | sort -V | tail -n 1)")

run() {
  local home name found=() tests=(test_dict test_list test_set test_unicode test_json test_bytes test_deque test_gc)
  [ -n "$quick" ] || tests+=(test_array test_ast test_asyncio test_buffer test_bz2 test_collections test_compile test_concurrent_futures
    test_copy test_csv test_ctypes test_decimal test_descr test_email test_exceptions test_fork1 test_functools test_generators test_heapq
    test_io test_itertools test_long test_lzma test_mmap test_multiprocessing_fork test_multiprocessing_spawn test_pickle test_queue
    test_random test_re test_socket test_sqlite3 test_statistics test_str test_struct test_subprocess test_tarfile test_thread
    test_threading test_tuple test_weakref test_xml_etree test_xml_etree_c test_zipfile test_zlib)
  # One that a version has not would fail, and one that is slow beside other work is not to. In a virtual machine sockets between it and
  # its host may wait for ever.
  home=$("$python" -c 'import test; print(test.__path__[0])')
  for name in "${tests[@]}"; do
    if [ -e "$home/$name.py" ] || [ -e "$home/$name" ]; then found+=("$name"); fi
  done
  # Some tests send SIGINT, which what runs in the background ignores, and with it all that it starts.
  local heeding='import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])'
  PYTHONMALLOC=malloc "$python" -c "$heeding" "$python" -m test -j2 --timeout 1800 --ignore "*VSOCK*" "${found[@]}" 2>&1 | tee "$folder/said" |
    sed -nE 's/^.*\[ *[0-9]+\/[0-9/]*\] (test_[a-z0-9_]+) (passed|failed|skipped|crashed|timed|worker).*/\1: \2/p' |
    sed -E 's/(crashed|timed|worker)$/failed/'
}
$command
