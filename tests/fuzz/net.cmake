# The parsers of the net layer.
scout_fuzz_target(hosts_file scout_net)
scout_fuzz_target(http_request scout_net)
