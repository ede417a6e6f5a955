#!/usr/bin/env bash
# Runs a program of this processor on a Linux of its own, Debian's kernel in an emulated machine. It has what the kernel here may not
# have, such as cgroups of version 2 that limit memory:
#   native/targets/kernel.sh PROGRAM
# Prints what the program says, and ends as it does; with 75 where the machine or its kernel is not to be had. Needs no root.
set -euo pipefail
program=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tree=$root/build/tools/kernel

unavailable() { echo "kernel.sh: $*" >&2; exit 75; }
[ "$(uname -sm)" = 'Linux x86_64' ] || unavailable "only for Linux on x86-64"
for name in qemu-system-x86_64 cpio; do command -v $name >/dev/null || unavailable "there is no $name here"; done
[ -e "$tree/packages" ] || "$root/scripts/unpack.sh" "$tree" 'linux-image-[0-9.]+-[0-9]+-cloud-amd64' busybox-static >&2 || unavailable "no kernel"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/files/{bin,dev,proc,sys,tmp}
cp "$tree/bin/busybox" "$work/files/bin/"
cp "$program" "$work/files/bin/program"
# The libraries that it is linked with lie where they lie here.
ldd "$program" | sed -nE 's/^.* (\/[^ ]+) \(0x.*$/\1/p; s/^\t(\/[^ ]+) \(0x.*$/\1/p' | sort -u | while read -r library; do
  mkdir -p "$work/files$(dirname "$library")"
  cp -L "$library" "$work/files$library"
done
cat >"$work/files/init" <<'END'
#!/bin/busybox sh
alias mount='/bin/busybox mount -t'
mount proc none /proc
mount sysfs none /sys
mount devtmpfs none /dev
mount tmpfs none /tmp
mount cgroup2 none /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo 'the program begins'
/bin/program
echo "the program ended with $?"
/bin/busybox poweroff -f
END
chmod +x "$work/files/init"
(cd "$work/files" && find . | cpio -o -H newc --quiet) >"$work/files.cpio"

# Emulated, as a machine that is virtual itself may offer /dev/kvm and not start on it.
timeout 900 qemu-system-x86_64 -accel tcg -m 1024 -nodefaults -display none -serial stdio -no-reboot -kernel "$tree"/boot/vmlinuz-* \
  -initrd "$work/files.cpio" -append 'console=ttyS0 quiet panic=-1' </dev/null | tr -d '\r' >"$work/said" || true
sed '0,/the program begins/d; /^the program ended with /,$d' "$work/said"
status=$(sed -n 's/^the program ended with \([0-9]*\)$/\1/p' "$work/said")
[ -n "$status" ] || { tail -n 20 "$work/said" >&2; echo "kernel.sh: the machine stopped before the program ended" >&2; exit 1; }
exit "$status"
