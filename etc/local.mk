# SPDX-License-Identifier: ISC
# Sample configurations, installed with the documents:
#   dist_examples_DATA += etc/sallyport.conf
