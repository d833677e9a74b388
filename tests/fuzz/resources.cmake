# URIs of resources; cursors, templates, and what docker says of its projects.
scout_fuzz_target(resource_uri scout_resources)
scout_fuzz_target(resource_parts scout_resources)
