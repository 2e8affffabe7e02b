# SPDX-License-Identifier: ISC
# Unit tests of net; the form is in tests/unit/base.mk, the libraries are $(UNIT_NET).
