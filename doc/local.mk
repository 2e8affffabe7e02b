# SPDX-License-Identifier: ISC
# Manual pages (mdoc) and what else a release carries of the documents:
#   dist_man_MANS += doc/sallyportd.8 doc/sallyport.conf.5
#   EXTRA_DIST += doc/ARCHITECTURE.md
dist_man_MANS += doc/sallyportd.8
EXTRA_DIST += packaging/sallyport.service packaging/sysusers
