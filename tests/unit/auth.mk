# SPDX-License-Identifier: ISC
# Unit tests of auth; the form is in tests/unit/base.mk, the libraries are $(UNIT_AUTH).
