# SPDX-License-Identifier: ISC
# Unit tests of socks; the form is in tests/unit/base.mk, the libraries are $(UNIT_SOCKS).
