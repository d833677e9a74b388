# What the endpoint and the dispatcher take headers' values for.
scout_fuzz_target(http_headers scout_http)
