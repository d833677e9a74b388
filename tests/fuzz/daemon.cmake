# A client's first bytes, and the file of tokens, without the rest of the daemon.
scout_fuzz_target(tokens scout_fleet)
target_sources(fuzz_tokens PRIVATE ${CMAKE_SOURCE_DIR}/src/daemon/tokens.c)
# The configuration file.
scout_fuzz_target(settings scout_daemon)
target_include_directories(fuzz_settings PRIVATE ${CMAKE_SOURCE_DIR}/src/daemon)
# Signed tokens and their issuer's keys.
scout_fuzz_target(jwt scout_daemon)
# Clients' certificates, and who is who by them.
scout_fuzz_target(client_certificate scout_daemon)
