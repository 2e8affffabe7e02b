#!/bin/sh
# SPDX-License-Identifier: ISC
# How each built program and module is hardened: position independent, relocations read-only and
# bound at start, no executable stack. PROGRAMS and MODULES come from the Makefile.
set -u
cd "${top_builddir:?}" || exit 1

checked=0
wrong=0
for file in ${PROGRAMS:-} ${MODULES:-}; do
    shown=$("${READELF:-readelf}" -hld --wide "$file") || { wrong=1; continue; }
    want() { # NAME PATTERN
        echo "$shown" | grep -Eq "$2" ||
            { echo "$file:0: $1 is missing; every program and module has it"; wrong=1; }
    }
    want 'position independence' '^ *Type: +DYN'
    want 'RELRO' '^ *GNU_RELRO'
    want 'binding at start' 'BIND_NOW|FLAGS_1.*NOW'
    want 'a stack without execution' '^ *GNU_STACK .* RW +0x'
    checked=$((checked + 1))
done
echo "hardening: $checked programs and modules checked"
[ "$checked" -gt 0 ] || { echo 'hardening: nothing was checked: the Makefile names no program'; exit 1; }
exit $wrong
