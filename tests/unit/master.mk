# SPDX-License-Identifier: ISC
# Unit tests of master; the form is in tests/unit/base.mk, the libraries are $(UNIT_MASTER).
