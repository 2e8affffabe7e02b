# SPDX-License-Identifier: ISC
# What a compiler does not look at; each prints file:line, what is allowed, and how much it looked at.
