# The parsers of the net layer.
scout_fuzz_target(hosts_file scout_net)
scout_fuzz_target(http_request scout_net)
# Proxies, and what they say of their clients.
scout_fuzz_target(forwarded scout_http)
# Our reader of requests and llhttp's; where there is one: see tests/differential.
if(TARGET scout_http_compare)
  scout_fuzz_target(http_differential scout_http_compare)
endif()
