# What a host's shell prints, without the rest of the fleet layer.
scout_fuzz_target(exec_reply scout_base)
foreach(stem exec_reply exec_attrs exec_entries entry_list)
  target_sources(fuzz_exec_reply PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
target_include_directories(fuzz_exec_reply PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# Queries, which stand alone too.
scout_fuzz_target(query scout_base)
foreach(stem query query_args query_build query_exclude query_find query_line query_words
    query_table query_table_file query_table_rg query_table_search query_table_text
    shell_line)
  target_sources(fuzz_query PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
# What people write into rules, and what callers ask for.
scout_fuzz_target(policy scout_fleet)
# Real paths through a shell.
scout_fuzz_target(real_script scout_base)
foreach(stem real_script shell_line)
  target_sources(fuzz_real_script PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
target_include_directories(fuzz_real_script PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# Names that a server lists, and patterns upon them.
scout_fuzz_target(names scout_base)
foreach(stem longname name_glob)
  target_sources(fuzz_names PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
target_include_directories(fuzz_names PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# Edits of texts.
scout_fuzz_target(text_edit scout_base)
target_sources(fuzz_text_edit PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/text_edit.c ${CMAKE_SOURCE_DIR}/src/fleet/text_near.c)
# What a kept state's file begins with.
scout_fuzz_target(undo scout_base)
target_sources(fuzz_undo PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/undo_entry.c)
target_include_directories(fuzz_undo PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# Patterns of paths.
scout_fuzz_target(path_glob scout_base)
foreach(stem path_glob policy_glob name_glob)
  target_sources(fuzz_path_glob PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
# Differences of texts.
scout_fuzz_target(text_diff scout_base)
foreach(stem text_diff diff_search)
  target_sources(fuzz_text_diff PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
# Secrets in text.
scout_fuzz_target(redact scout_base PkgConfig::PCRE2)
foreach(stem redact redact_assigned redact_block redact_find redact_lines redact_marker redact_pattern redact_token
    redact_value secret_name)
  target_sources(fuzz_redact PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
# What could drive a terminal or deceive a reader.
scout_fuzz_target(neutralise scout_base)
target_sources(fuzz_neutralise PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/neutralise.c)
# Patterns of searches, and what searching programs print.
scout_fuzz_target(search scout_base)
foreach(stem search_pattern search_members search_set search_text search_output exec_attrs)
  target_sources(fuzz_search PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
target_include_directories(fuzz_search PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# Texts of files, and their lines.
scout_fuzz_target(text scout_base)
target_sources(fuzz_text PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/line_range.c)
target_include_directories(fuzz_text PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# What a shell says of a file that it wrote.
scout_fuzz_target(put_reply scout_base)
foreach(stem put_script shell_line)
  target_sources(fuzz_put_reply PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet/${stem}.c)
endforeach()
target_include_directories(fuzz_put_reply PRIVATE ${CMAKE_SOURCE_DIR}/src/fleet)
# What a model gets of a result.
scout_fuzz_target(model_result scout_tools)
target_include_directories(fuzz_model_result PRIVATE ${CMAKE_SOURCE_DIR}/src/tools)
