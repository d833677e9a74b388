# Queries stand alone: text in, argv out.
set(FLEET ${CMAKE_SOURCE_DIR}/src/fleet)
set(QUERY ${FLEET}/query.c ${FLEET}/query_args.c ${FLEET}/query_build.c ${FLEET}/query_exclude.c
  ${FLEET}/query_find.c ${FLEET}/query_line.c ${FLEET}/query_words.c ${FLEET}/query_table.c
  ${FLEET}/query_table_file.c ${FLEET}/query_table_rg.c ${FLEET}/query_table_search.c
  ${FLEET}/query_table_text.c ${FLEET}/shell_line.c)
foreach(stem query query_corpus query_line query_getopt query_tools)
  scout_unit_test(test_${stem} SOURCES test_${stem}.c query_lines.c ${QUERY} LIBS scout_base)
  target_include_directories(test_${stem} PRIVATE ${FLEET})
  target_compile_definitions(test_${stem} PRIVATE QUERY_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/query")
endforeach()
# Loaded into tools that no sanitizer knows of.
add_library(getopt_spy MODULE getopt_spy.c)
target_compile_options(getopt_spy PRIVATE -fno-sanitize=all)
target_link_options(getopt_spy PRIVATE -fno-sanitize=all)
add_dependencies(test_query_getopt getopt_spy)
target_compile_definitions(test_query_getopt PRIVATE GETOPT_SPY="$<TARGET_FILE:getopt_spy>")
set_tests_properties(test_query_tools PROPERTIES TIMEOUT 300) # a thousand runs of tools
