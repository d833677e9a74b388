# The parsers of the ssh layer.
foreach(name sftp known_hosts ssh_config key agent certificate)
  scout_fuzz_target(${name} scout_ssh)
endforeach()
# Signatures are checked by libcrypto alone.
target_sources(fuzz_key PRIVATE ../unit/ssh/verify.c)
