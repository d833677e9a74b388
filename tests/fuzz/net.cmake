# The parsers of the net layer.
scout_fuzz_target(hosts_file scout_net)
scout_fuzz_target(http_request scout_net)
# Proxies, and what they say of their clients.
scout_fuzz_target(forwarded scout_http)
