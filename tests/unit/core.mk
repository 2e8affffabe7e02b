# SPDX-License-Identifier: ISC
# Unit tests of core; the form is in tests/unit/base.mk, the libraries are $(UNIT_CORE).
