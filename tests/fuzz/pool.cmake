# The parsers of the pool layer: what commands report.
scout_fuzz_target(command_report scout_pool)
target_include_directories(fuzz_command_report PRIVATE ${PROJECT_SOURCE_DIR}/src/pool)
