# The parsers of the ssh layer.
foreach(name sftp known_hosts ssh_config key)
  scout_fuzz_target(${name} scout_ssh)
endforeach()
