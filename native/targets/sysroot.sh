#!/usr/bin/env bash
# sysroot.sh PROCESSOR: unpacks what programs of another processor need at run time, glibc's and musl's, and some real
# programs, from Debian's packages for it; says where they are. Nothing is installed, and no rights are needed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
processor=$1
case $processor in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  ppc64le) architecture=ppc64el ;;
  arm) architecture=armhf ;;
  *) architecture=$processor ;;
esac
release=trixie  # the first one that has riscv64, too
libraries="musl libstdc++6"
packages="$libraries busybox sqlite3 python3.13-minimal libpython3.13-stdlib"
sysroot=$root/build/tools/sysroot/$architecture
if [ "$(cat "$sysroot/packages" 2>/dev/null)" != "$release $packages" ]; then
  printf 'unpacking packages for %s ...\n' "$architecture" >&2
  work=$sysroot/apt
  rm -rf "$sysroot"
  mkdir -p "$work"/lists/partial "$work"/cache/archives/partial "$work/state"
  touch "$work/status"
  # From where this machine's own packages come.
  uri=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "Debian" && $2 !~ /-/ { print $3; exit }')
  [ -n "$uri" ] || { printf 'mimalloc: this machine has no Debian packages: no programs of %s\n' "$processor" >&2; exit 1; }
  {
    printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "-";\nDir::State "%s";\n' "$work/sources.list" "$work/state"
    printf 'Dir::State::lists "%s";\nDir::State::status "%s";\nDir::Cache "%s";\n' "$work/lists" "$work/status" "$work/cache"
    printf 'APT::Architecture "%s";\nAPT::Architectures "%s";\nAcquire::Languages "none";\nAPT::Sandbox::User "";\n' "$architecture" "$architecture"
  } >"$work/conf"
  export APT_CONFIG=$work/conf
  # A mirror may lack a package for a processor: then all come from unstable. If it lacks one there, too, it is the libraries
  # alone, and no real programs; or musl's alone.
  fetch() {
    printf 'deb %s %s main\n' "$uri" "$1" >"$work/sources.list"
    rm -f "$work"/cache/archives/*.deb
    apt-get -q update >>"$work/log" 2>&1 && apt-get -q -y install --download-only --no-install-recommends $2 >>"$work/log" 2>&1
  }
  for wanted in "$release $packages" "unstable $packages" "$release $libraries" "unstable $libraries" "$release musl"; do
    fetch "${wanted%% *}" "${wanted#* }" && break
    [ "$wanted" != "$release musl" ] || { tail -n 5 "$work/log" >&2; exit 1; }
  done
  # Links, as in an installed system: what a package has in lib lies in usr/lib.
  mkdir -p "$sysroot"/usr/{lib,bin,sbin,lib64}
  for folder in lib bin sbin lib64; do ln -s "usr/$folder" "$sysroot/$folder"; done
  for package in "$work"/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$sysroot"; done
  rm -rf "$work/cache" "$work/lists"
  printf '%s\n' "$release $packages" >"$sysroot/packages"
fi
printf '%s\n' "$sysroot"
