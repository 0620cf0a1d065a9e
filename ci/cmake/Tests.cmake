# SPDX-License-Identifier: Apache-2.0
# One executable, many cases; every case is its own ctest entry, run by its full name.
#
#   kw_tests(unit_base LABEL unit SOURCES test_bytes.c … MODULES base)
#     LABEL         unit | token | e2e | fuzz-replay (conformance and etcd have their own way)
#     BOTH_ARENAS   every case twice, the second with KEYWARD_ARENA=mlock ("…@mlock")
#     SERIAL        no two cases of this executable at once
#     TIMEOUT       seconds after which ctest gives a case up (default 60): a guard against
#                   a hang, never an assertion
#     ENVIRONMENT   NAME=value for each case
#     TSAN          regular expressions; cases that match one carry the label tsan too and
#                   run in the thread sanitizer's build (unit cases all do)
# The cases are asked of the executable after it is built (--list).
function(kw_tests name)
  cmake_parse_arguments(T "BOTH_ARENAS;SERIAL" "LABEL;TIMEOUT" "SOURCES;MODULES;LINKS;ENVIRONMENT;TSAN" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  list(TRANSFORM T_MODULES PREPEND kw_)
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_MODULES} ${T_LINKS} kw_test_support
    kw_warnings kw_hardening kw_sanitize)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}.ctest.cmake)
  add_custom_command(TARGET ${name} POST_BUILD BYPRODUCTS ${file}
    COMMAND ${CMAKE_COMMAND} -D exe=$<TARGET_FILE:${name}> -D out=${file} -D label=${T_LABEL}
      -D both=${T_BOTH_ARENAS} -D serial=${T_SERIAL} -D timeout=${T_TIMEOUT} -D name=${name}
      "-D environment=${T_ENVIRONMENT}" "-D tsan=${T_TSAN}"
      -P ${PROJECT_SOURCE_DIR}/ci/cmake/ListCases.cmake VERBATIM)
  set(missing ${CMAKE_CURRENT_BINARY_DIR}/${name}.include.cmake)
  file(WRITE ${missing}
    "if(EXISTS \"${file}\")\n  include(\"${file}\")\nelse()\n  add_test(${name}_NOT_BUILT ${name}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${missing})
endfunction()
# Tests of scripts, with pytest: each file is one ctest entry of that label, called
# LABEL/PREFIX/NAME of test_NAME.py.  Where pytest is missing, they fail.
#
#   kw_pytest(bench/analysis LABEL unit SOURCES test_stats.py … ENVIRONMENT NAME=value)
function(kw_pytest prefix)
  cmake_parse_arguments(T "" "LABEL" "SOURCES;ENVIRONMENT" ${ARGN})
  foreach(source IN LISTS T_SOURCES)
    string(REGEX REPLACE "^test_(.*)\\.py$" "\\1" name ${source})
    add_test(NAME ${T_LABEL}/${prefix}/${name}
      COMMAND /usr/bin/python3 -I -B -m pytest -q -p no:cacheprovider ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    # A case that was skipped has shown nothing: it fails.
    set_tests_properties(${T_LABEL}/${prefix}/${name} PROPERTIES LABELS ${T_LABEL} TIMEOUT 300
      FAIL_REGULAR_EXPRESSION "[0-9] skipped" ENVIRONMENT "${T_ENVIRONMENT}")
  endforeach()
endfunction()
