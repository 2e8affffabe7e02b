# SPDX-License-Identifier: ISC
# Unit tests of config; the form is in tests/unit/base.mk, the libraries are $(UNIT_CONFIG).
