#!/bin/sh
# SPDX-License-Identifier: ISC
# The manual pages, by mandoc's own lint. PAGES comes from the Makefile.
set -u
cd "${top_srcdir:?}" || exit 1
[ -n "${MANDOC:-}" ] || { echo 'manual: mandoc is not installed'; exit 77; }
[ -n "${PAGES:-}" ] || { echo 'manual: nothing was checked: the Makefile names no page'; exit 1; }
set -- $PAGES
"$MANDOC" -T lint -W warning "$@"
status=$?
echo "manual: $# pages checked"
exit $status
