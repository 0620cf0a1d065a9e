# SPDX-License-Identifier: Apache-2.0
# A fuzz target: one file with LLVMFuzzerTestOneInput and a folder of seeds beside it.
#
#   kw_fuzz(fuzz_envelope SOURCES fuzz_envelope.c MODULES envelope SEEDS seeds/envelope)
#
# With -D KEYWARD_FUZZ=ON (Clang) it is a libFuzzer program.  In every other build it is
# linked with a small main that replays the seeds: one ctest entry, label fuzz-replay.
function(kw_fuzz name)
  cmake_parse_arguments(F "" "SEEDS" "SOURCES;MODULES;LINKS" ${ARGN})
  list(TRANSFORM F_MODULES PREPEND kw_)
  set(seeds ${CMAKE_CURRENT_SOURCE_DIR}/${F_SEEDS})
  file(GLOB found CONFIGURE_DEPENDS ${seeds}/*)
  if(NOT found)
    message(FATAL_ERROR "${name}: no seeds in ${seeds}")
  endif()
  add_executable(${name} ${F_SOURCES})
  target_link_libraries(${name} PRIVATE ${F_MODULES} ${F_LINKS} kw_warnings kw_hardening kw_sanitize)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  if(KEYWARD_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/replay.c)
    add_test(NAME fuzz-replay/${name} COMMAND ${name} ${seeds})
    set_tests_properties(fuzz-replay/${name} PROPERTIES LABELS fuzz-replay TIMEOUT 120)
  endif()
endfunction()
