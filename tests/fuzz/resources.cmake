# URIs of resources.
scout_fuzz_target(resource_uri scout_resources)
