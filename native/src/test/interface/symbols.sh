#!/bin/sh
# symbols.sh LIBRARY FUNCTIONS OVERRIDE: the library exports the interface's functions, the names that it replaces if it
# does so, and nothing else.
set -eu
library=$1 functions=$2 override=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -n 's/^FUNCTION([^,]*, \([a-z_0-9]*\),.*/\1/p' "$functions" | sort >"$folder/table"
nm -D --defined-only "$library" | sed 's/.* //; s/@.*//' | sort >"$folder/exported"

missing=$(comm -23 "$folder/table" "$folder/exported")
[ -z "$missing" ] || { echo "not exported:" $missing; exit 1; }
comm -13 "$folder/table" "$folder/exported" >"$folder/more"

replaced='malloc calloc realloc free cfree reallocf reallocarray reallocarr aligned_alloc memalign posix_memalign valloc pvalloc
vfree _aligned_malloc strdup strndup malloc_usable_size malloc_size malloc_good_size __libc_malloc __libc_calloc __libc_realloc
__libc_free __libc_cfree __libc_memalign __libc_valloc __libc_pvalloc __posix_memalign
free_sized free_aligned_sized memalignment
_Znwm _Znam _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t _ZnwmSt11align_val_t _ZnamSt11align_val_t
_ZnwmSt11align_val_tRKSt9nothrow_t _ZnamSt11align_val_tRKSt9nothrow_t
_ZdlPv _ZdaPv _ZdlPvm _ZdaPvm _ZdlPvRKSt9nothrow_t _ZdaPvRKSt9nothrow_t _ZdlPvSt11align_val_t _ZdaPvSt11align_val_t
_ZdlPvmSt11align_val_t _ZdaPvmSt11align_val_t _ZdlPvSt11align_val_tRKSt9nothrow_t _ZdaPvSt11align_val_tRKSt9nothrow_t'
# What programs ask glibc about its malloc.
! getconf GNU_LIBC_VERSION >/dev/null 2>&1 || replaced="$replaced mallinfo mallinfo2 malloc_trim malloc_stats malloc_info mallopt"
[ "$override" = ON ] || replaced=
for name in $replaced; do echo "$name"; done | sort >"$folder/replaced"
cmp "$folder/replaced" "$folder/more" || { diff "$folder/replaced" "$folder/more"; exit 1; }
readelf -d "$library" | grep -q 'SONAME.*libmimalloc\(-secure\)\?\(-debug\)\?\.so\.3\]' || { echo "no soname, or another one"; exit 1; }
echo "$(wc -l <"$folder/table") functions and $(wc -l <"$folder/replaced") replaced names, nothing else"
