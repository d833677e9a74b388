# What a host's shell prints, without the rest of the fleet layer.
scout_fuzz_target(exec_reply scout_base)
target_sources(fuzz_exec_reply PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/exec_reply.c
                                       ${CMAKE_SOURCE_DIR}/src/fleet/entry_list.c)
target_include_directories(fuzz_exec_reply PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
