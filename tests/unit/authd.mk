# SPDX-License-Identifier: ISC
# Unit tests of authd; the form is in tests/unit/base.mk, the libraries are $(UNIT_AUTHD).
