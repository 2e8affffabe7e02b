# SPDX-License-Identifier: ISC
# Sample configurations, installed with the documents:
#   dist_examples_DATA += etc/FILE
dist_examples_DATA += etc/rsyslog-sallyport.conf
dist_examples_DATA += etc/rsyslog-sallyport-json.conf
dist_examples_DATA += etc/sallyport-who.jq
dist_examples_DATA += etc/sallyport.conf.sample
dist_examples_DATA += etc/prometheus-sallyport.yml
dist_examples_DATA += etc/prometheus-sallyport-rules.yml
