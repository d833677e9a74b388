# Audit logs, which anybody may have written.
scout_fuzz_target(audit scout_base)
target_sources(fuzz_audit PRIVATE ${CMAKE_SOURCE_DIR}/src/cli/audit_check.c
                                  ${CMAKE_SOURCE_DIR}/src/cli/sha256.c)
target_include_directories(fuzz_audit PRIVATE ${CMAKE_SOURCE_DIR}/src/cli)
