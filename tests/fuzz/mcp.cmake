scout_fuzz_target(json scout_base)
scout_fuzz_target(mcp scout_mcp)
