# Linking the companion with musl (package musl-dev), in a release.
#
# glibc asks the processor about itself some sixty times at every start, with the instruction cpuid,
# which a virtual machine's host has to answer: 0.27 ms on the machine of bench/RESULTS.md, of
# 0.38 ms for a program that does nothing. musl asks nothing.
#
# The compiler stays the same; only the headers and the library are musl's. The kernel's headers,
# which musl has none of, are reached through links, so that nothing of glibc's can be.
#
# Each page that a process touches first costs it some microseconds, so code and constants share one
# segment; RELRO goes too, since nothing in a musl program that is static and position-independent
# puts it into force.
#
# SCOUT_MUSL: whether it can be done here.
option(SCOUT_WITH_MUSL "link the companion with musl in a release, where it is installed" ON)
string(REPLACE "-gnu" "-musl" musl_triplet "${CMAKE_LIBRARY_ARCHITECTURE}")
set(musl_lib /usr/lib/${musl_triplet})
set(musl_include /usr/include/${musl_triplet})
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
                OUTPUT_VARIABLE musl_compiler_include OUTPUT_STRIP_TRAILING_WHITESPACE)
set(SCOUT_MUSL OFF)
if(SCOUT_WITH_MUSL AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND musl_triplet MATCHES "-musl$"
   AND EXISTS ${musl_lib}/rcrt1.o AND EXISTS ${musl_include}/stdio.h
   AND EXISTS ${musl_compiler_include}/stddef.h)
  set(SCOUT_MUSL ON)
endif()

function(scout_musl_kernel_headers out)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/kernel-include)
  file(MAKE_DIRECTORY ${folder})
  foreach(name linux asm-generic)
    file(CREATE_LINK /usr/include/${name} ${folder}/${name} SYMBOLIC)
  endforeach()
  file(CREATE_LINK /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/asm ${folder}/asm SYMBOLIC)
  set(${out} ${folder} PARENT_SCOPE)
endfunction()

# scout_link_musl(PROGRAM LAYER...): PROGRAM out of its own sources and those of the layers, which
# are compiled once more for it. A source that needs another library has no place there.
function(scout_link_musl program)
  scout_musl_kernel_headers(kernel_include)
  foreach(layer ${ARGN})
    get_target_property(sources ${layer} SOURCES)
    get_target_property(folder ${layer} SOURCE_DIR)
    list(TRANSFORM sources PREPEND ${folder}/)
    list(FILTER sources EXCLUDE REGEX "/base/json_parse\\.c$") # cJSON
    target_sources(${program} PRIVATE ${sources})
  endforeach()
  target_compile_options(${program} PRIVATE -fPIE -nostdinc -ffunction-sections -fdata-sections
    -isystem${musl_include} -isystem${musl_compiler_include} -isystem${kernel_include})
  target_link_options(${program} PRIVATE -static-pie -nostdlib -nostartfiles -Wl,--gc-sections
    -Wl,-z,noseparate-code -Wl,-z,norelro)
  target_link_libraries(${program} PRIVATE ${musl_lib}/rcrt1.o ${musl_lib}/crti.o
    ${musl_lib}/libc.a gcc ${musl_lib}/crtn.o)
endfunction()
