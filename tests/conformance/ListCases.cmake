# SPDX-License-Identifier: Apache-2.0
# Asks the test executable for its tests and writes one add_test for each and each variant.
# The executable's own limit is below ctest's, so that it can say where it hung.
execute_process(COMMAND ${exe} -test.list . OUTPUT_VARIABLE cases RESULT_VARIABLE rc
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT rc EQUAL 0 OR cases STREQUAL "")
  message(FATAL_ERROR "${exe} -test.list gave no tests (status ${rc})")
endif()
string(REPLACE "\n" ";" cases "${cases}")
set(text "")
foreach(case IN LISTS cases)
  foreach(variant IN LISTS variants)
    string(REPLACE " " ";" variant "${variant}")
    list(GET variant 0 suffix)
    list(GET variant 1 regex)
    list(GET variant 2 setting)
    set(seconds 180)
    list(LENGTH variant words)
    if(words GREATER 3)
      list(GET variant 3 seconds)
    endif()
    math(EXPR own "${seconds} - 10")
    if(NOT case MATCHES "${regex}")
      continue()
    endif()
    string(REGEX REPLACE "^-$" "" suffix "${suffix}")
    string(REGEX REPLACE "^-$" "" setting "${setting}")
    set(entry "[=[${ring}/${case}${suffix}]=]")
    string(APPEND text "add_test(${entry} [=[${exe}]=]"
      " -test.timeout ${own}s -test.run [=[^${case}$]=])\n"
      "set_tests_properties(${entry} PROPERTIES LABELS ${ring}"
      " TIMEOUT ${seconds} ENVIRONMENT [=[${environment};${setting}]=])\n")
  endforeach()
endforeach()
file(WRITE ${out} "${text}")
