# SPDX-License-Identifier: ISC
# Fuzz targets, one per decoder; a program that replays its corpus is a check_PROGRAMS of its own.
