# SPDX-License-Identifier: ISC
# Unit tests of logger; the form is in tests/unit/base.mk, the libraries are $(UNIT_LOGGER).
