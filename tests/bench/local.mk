# SPDX-License-Identifier: ISC
# Measurements. Nothing here is built or run by default:
#   EXTRA_PROGRAMS += tests/bench/socksbench     (make tests/bench/socksbench)
