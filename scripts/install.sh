#!/usr/bin/env bash
# Installs what a build takes, or what the demo, the benchmarks or the tests run, and this system does not have yet:
#   scripts/install.sh build|demo|bench|services|test
# Debian and its children only; elsewhere it says what is missing. Needs root or sudo only when something is.
set -euo pipefail

missing=() wished=()

# need PACKAGE COMMAND...: the package is wanted when one of the commands (or absolute files) is not there.
need() {
  local package=$1 one; shift
  for one in "$@"; do
    command -v "$one" >/dev/null 2>&1 || [ -e "$one" ] || { missing+=("$package"); return; }
  done
}

# wish PACKAGE COMMAND: the same for a package that not every system has; what needs it is left out without.
wish() { command -v "$2" >/dev/null 2>&1 || wished+=("$1"); }

need_build() {
  need maven mvn
  need gcc gcc
  need libc6-dev /usr/include/stdlib.h
  need cmake cmake ctest
  need make make
}

need_demo() {
  need_build
  need g++ g++
  need python3 /usr/bin/python3
  need perl perl /usr/share/perl/5.*/Thread/Queue.pm # Debian always has a smaller perl-base
  need sqlite3 sqlite3
  need redis-tools redis-check-rdb redis-benchmark redis-cli # without the server's package, which starts a daemon
}

# The JDK draws the charts with the system's letters.
need_letters() {
  need fontconfig fc-list
  need fonts-dejavu-core /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
}

need_bench() {
  need_demo
  need_letters
  need lua5.4 lua5.4
  need ruby ruby
  need z3 z3
  need ghostscript gs
  # A library is at home in a folder of its processor's.
  local folder; folder=/usr/lib/$(uname -m)-linux-gnu
  need libtcmalloc-minimal4 "$folder/libtcmalloc_minimal.so.4"
  need libtbbmalloc2 "$folder/libtbbmalloc_proxy.so.2"
  need_peers
}

# The services themselves are unpacked, and not installed, by unpack.sh.
need_services() {
  need_build
  need_letters
  need_peers
}

need_peers() {
  local folder; folder=/usr/lib/$(uname -m)-linux-gnu
  need libjemalloc2 "$folder/libjemalloc.so.2"
  # What all are compared with is the newest mimalloc, beside the system; and where that is not to be had, the system's.
  local scripts; scripts=$(dirname "${BASH_SOURCE[0]}")
  if ! "$scripts/newest-mimalloc.sh" "$scripts/../build/peers/mimalloc"; then
    echo "install.sh: the benchmarks compare with this system's own package of mimalloc instead" >&2
    if ! [ -e "$folder/libmimalloc.so.2" ] && ! [ -e "$folder/libmimalloc.so.3" ]; then missing+=('libmimalloc[0-9]*'); fi
  fi
}

need_test() {
  need_demo
  need_letters
  need git git
  need nodejs node
  need qemu-user-static qemu-aarch64-static # runs what is built for other processors,
  need musl /lib/ld-musl-x86_64.so.1 # and for another C library
  wish wine64 /usr/lib/wine/wine64 # for Windows,
  wish chromium chromium # and for WebAssembly in a browser
  wish qemu-system-x86 qemu-system-x86_64 # runs a kernel that has what the one here may not have,
  wish cpio cpio # whose files it packs
  need clang clang
  need pkg-config pkg-config
  need valgrind valgrind /usr/include/valgrind/memcheck.h # beside it a library is built for it; gcc brings ASan's headers
  need 'libpython*-testsuite' /usr/lib/python3.*/test/test_json
  # They read what a heap profile says.
  need google-perftools google-pprof
  need libjemalloc-dev jeprof
  need golang-go go
  need binutils addr2line
  speedscope || echo "install.sh: without speedscope nobody looks at the picture of a heap profile" >&2
  older_jdk
  # The litmus tests are not run where it is not to be had.
  local scripts; scripts=$(dirname "${BASH_SOURCE[0]}")
  "$scripts/litmus.sh" --install || echo "install.sh: the memory orders are not checked without herd7" >&2
}

# It draws heap profiles, in a browser.
speedscope() {
  local folder; folder=$(dirname "${BASH_SOURCE[0]}")/../build/peers/speedscope
  [ -e "$folder/node_modules/speedscope" ] || npm install --silent --no-audit --no-fund --prefix "$folder" speedscope@1.25.0
}

# The JVM as a program: beside the JDK that builds this project, an older one of the system's.
older_jdk() {
  local release
  for release in /usr/lib/jvm/*/release; do
    [ -x "${release%release}bin/javac" ] && grep -Eq '^JAVA_VERSION="(17|21)\b' "$release" && return
  done
  missing+=(default-jdk-headless)
}

case ${1:-} in
  build) need_build ;;
  demo) need_demo ;;
  bench) need_bench ;;
  services) need_services ;;
  test) need_test ;;
  *) echo "usage: scripts/install.sh build|demo|bench|services|test" >&2; exit 2 ;;
esac
can_be_had() { apt-get install -s "$1" >/dev/null 2>&1; }

if [ ${#missing[@]} -eq 0 ]; then
  # For a wish that this system has no package for, nobody is asked for a password each time.
  for package in "${wished[@]}"; do
    if can_be_had "$package" && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }; then missing+=("$package"); fi
  done
  [ ${#missing[@]} -gt 0 ] || exit 0
  wished=()
fi

if ! command -v apt-get >/dev/null; then
  echo "install.sh: please install what Debian calls ${missing[*]}" >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install.sh: as root, please: apt-get install ${missing[*]}" >&2; exit 1; }
  root=(sudo)
fi
echo "installing ${missing[*]} ${wished[*]} ..." >&2
# Package lists that are a little old are no reason to stop.
"${root[@]}" apt-get update -qq || true
# Python's tests are a package of the version that python3 stands for.
version=$(apt-cache depends python3 2>/dev/null | sed -n 's/.*Depends: python\(3\.[0-9]*\)$/\1/p' | head -n 1 || true)
missing=("${missing[@]/'libpython*-testsuite'/libpython$version-testsuite}")
# mimalloc's package has its version in its name.
newest=$(apt-cache pkgnames libmimalloc | grep -E '^libmimalloc[0-9.]+$' | sort -V | tail -n 1 || true)
missing=("${missing[@]/'libmimalloc[0-9]*'/${newest:-libmimalloc}}")
# One that is not to be had does not keep out the others.
known=() unknown=()
for package in "${missing[@]}"; do
  if can_be_had "$package"; then known+=("$package"); else unknown+=("$package"); fi
done
for package in "${wished[@]}"; do
  ! can_be_had "$package" || known+=("$package")
done
if [ ${#known[@]} -gt 0 ]; then
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${known[@]}" >&2
fi
[ ${#unknown[@]} -eq 0 ] || { echo "install.sh: not to be had here: ${unknown[*]}" >&2; exit 1; }
