#!/usr/bin/env bash
# Tests the JVM's machine on another processor, under qemu:
#   scripts/jvm-target.sh list
#   scripts/jvm-target.sh test TARGET [--note|TESTS]
# TARGET is jvm-aarch64-linux; with -64k at its end OS pages have 64 KiB. TESTS are names of tests as Maven takes them; else it is
# the contract and the API's tests. With --note what was seen goes into the README's table of targets. The JDK is Debian unstable's, under build/jvm-aarch64-linux. JAVA_HOME is the JDK that compiles.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)

fail() { printf 'mimalloc: %s\n' "$*" >&2; exit 1; }

targets=(jvm-aarch64-linux jvm-aarch64-linux-64k)
command=${1:-} target=${2:-} tests=${3:-} note=
if [ "$tests" = --note ]; then note=yes tests=; fi
if [ "$command" = list ]; then printf '%s\n' "${targets[@]}"; exit; fi
[ "$command" = test ] || fail "jvm-target.sh tests, and does not $command"
page=4096
case $target in
  jvm-aarch64-linux) ;;
  jvm-aarch64-linux-64k) page=65536 ;;
  *) fail "there is no target $target; there are: ${targets[*]}" ;;
esac

emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || fail "needs qemu (Debian and Ubuntu: apt install qemu-user-static)"
system=$root/build/jvm-aarch64-linux
if [ ! -e "$system/ready" ]; then
  printf 'unpacking a JDK for arm64 ...\n' >&2
  rm -rf "$system"
  mkdir -p "$root/build"
  "$here/unstable.sh" arm64 "$system" openjdk-25-jre-headless
  home=$(ls -d "$system"/usr/lib/jvm/java-25-openjdk-* | head -n 1)
  # The JDK's own files in /etc are in this tree.
  find "$home" -type l -lname '/etc/*' | while read -r link; do ln -sfn "$system$(readlink "$link")" "$link"; done
  # Tests start the JVM that they run in once more: its program is a script that starts qemu. The JDK's helper, which starts all
  # other programs, would have to be one, too; to fork needs no helper.
  mv "$home/bin/java" "$home/bin/java.real"
  {
    # qemu notes what each page is for, which takes gigabytes where tebibytes are reserved: these are refused.
    printf '#!/bin/sh\nulimit -v %s\n' $((64 << 20))
    # Until the second compiler has come to it, each access by the foreign memory API is a dozen calls, and by Unsafe none. Without
    # that compiler each lambda with a value of its method in it is made by native code.
    printf 'exec "%s" -0 "%s" -L "%s" "%s" -Djdk.lang.Process.launchMechanism=FORK %s "$@"\n' \
      "$emulator" "$home/bin/java" "$system" "$home/bin/java.real" '-XX:+UseSerialGC --sun-misc-unsafe-memory-access=allow'
  } >"$home/bin/java"
  chmod +x "$home/bin/java"
  ln -s "${home#"$system/"}" "$system/jdk"
  touch "$system/ready"
fi

# The contract on the JVM, and what depends on the system or on the order of memory accesses.
if [ -z "$tests" ]; then
  tests='JvmContractTest,JvmOsTest,JvmRandomTest,VirtualThreadsTest,FullStackTest,PurgeTest,ScavengeTest'
  tests+=',MimallocTest,HeapTest,HeapEndTest,Arena*Test,RegionTest,ThreadLifeTest,StatisticsTest,LimitTest,OptionTest,EscapeTest'
  tests+=',OsTest,AccessTest,BitsTest,CallbackTest,MemoryTest,TextTest,ThreadSlotTest'
fi
cd "$root"
export QEMU_PAGESIZE=$page
# The default execution only: the others run some tests once more, in other modes. Scenarios in processes of their own allocate for
# minutes under qemu, and core goes over its structures for as long.
passed=yes
mvn -B -Dstyle.color=never -pl core,api,tests -am test-compile surefire:test@default-test -Dtranslate.skip=true -Dformatter.skip=true \
  -Djvm="$system/jdk/bin/java" -DexcludedGroups=processes -Dcore.checks=1 -Dtest="$tests" -Dsurefire.failIfNoSpecifiedTests=false | tee "$system/said" || passed=
[ -n "$note" ] || { [ -n "$passed" ]; exit; }
# One line of each module ends without the time of a class.
seen=$(sed -n 's/^\[[A-Z]*\].*Tests run: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\), Skipped: \([0-9]*\)$/\1 \2 \3 \4/p' "$system/said" |
  awk '{ run += $1 - $4; failed += $2 + $3 } END { printf "%s%d tests under qemu", failed ? "fails: " failed " of " : "run: ", run }')
[ -n "$passed" ] || case $seen in run:*) fail "Maven ended before the tests: nothing is noted" ;; esac
"$root/native/targets/states.sh" write "$target" "$seen"
[ -n "$passed" ]
