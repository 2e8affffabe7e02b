# SPDX-License-Identifier: ISC
# Unit tests of session; the form is in tests/unit/base.mk, the libraries are $(UNIT_SESSION).
