# SPDX-License-Identifier: ISC
# Unit tests of policy; the form is in tests/unit/base.mk, the libraries are $(UNIT_POLICY).
