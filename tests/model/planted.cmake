# SPDX-License-Identifier: Apache-2.0
# A program of the model with one bug planted into the real code, which it must find.
#
#   kw_planted(marks_by_number FILE hsm/keyring/judge.c
#     FROM [=[…]=]   text that stands there exactly once, else the configuration stops
#     TO [=[…]=])    what the bug makes of it
function(kw_planted name)
  cmake_parse_arguments(P "" "FILE;FROM;TO" "" ${ARGN})
  set(source ${PROJECT_SOURCE_DIR}/${P_FILE})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(FIND "${text}" "${P_FROM}" first)
  string(FIND "${text}" "${P_FROM}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "kw_planted(${name}): ${P_FILE} must have this text once:\n${P_FROM}")
  endif()
  string(REPLACE "${P_FROM}" "${P_TO}" text "${text}")
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/planted/${name}.c)
  file(CONFIGURE OUTPUT ${copy} CONTENT "${text}" @ONLY)
  kw_tests(planted_${name} LABEL token TIMEOUT 300 SOURCES test_planted.c ${copy} MODULES model)
  target_compile_definitions(planted_${name} PRIVATE KW_PLANTED=${name}__planted__is_found)
  get_filename_component(folder ${source} DIRECTORY)
  target_include_directories(planted_${name} PRIVATE ${folder})
endfunction()
