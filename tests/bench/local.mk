# SPDX-License-Identifier: ISC
# Measurements, beside peers in the same run. Nothing here is built or run by default:
#   make bench [BENCH_FLAGS="--runs 3"]
EXTRA_PROGRAMS += tests/bench/bench_load
tests_bench_bench_load_SOURCES = tests/bench/bench_load.c
EXTRA_DIST += tests/bench/bench.py

.PHONY: bench
bench: all tests/bench/bench_load$(EXEEXT)
	$(PYTHON3) $(srcdir)/tests/bench/bench.py --build . $(BENCH_FLAGS)
