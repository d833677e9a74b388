scout_fuzz_target(json scout_base)
scout_fuzz_target(mcp scout_mcp)

if(NOT TARGET scout_io_sim)
  add_subdirectory(${CMAKE_SOURCE_DIR}/src/io/sim ${CMAKE_BINARY_DIR}/src/io/sim)
endif()
scout_fuzz_target(http_endpoint scout_http scout_io_sim)
