# SPDX-License-Identifier: Apache-2.0
# Asks the test executable for its tests and writes one add_test for each.  The
# executable's own limit is below ctest's, so that it can say where it hung.
execute_process(COMMAND ${exe} -test.list . OUTPUT_VARIABLE cases RESULT_VARIABLE rc
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT rc EQUAL 0 OR cases STREQUAL "")
  message(FATAL_ERROR "${exe} -test.list gave no tests (status ${rc})")
endif()
string(REPLACE "\n" ";" cases "${cases}")
set(text "")
function(entry test case environment)
  string(APPEND text "add_test([=[conformance/${test}]=] [=[${exe}]=]"
    " -test.timeout 170s -test.run [=[^${case}$]=])\n"
    "set_tests_properties([=[conformance/${test}]=] PROPERTIES LABELS conformance"
    " TIMEOUT 180 ENVIRONMENT [=[${environment}]=])\n")
  set(text "${text}" PARENT_SCOPE)
endfunction()
foreach(case IN LISTS cases)
  entry("${case}" "${case}" "KEYWARD_BIN=${bin}")
  if(case MATCHES "^Test(RoundTrip|Concurrency|Outage)_") # what seeds pass through
    entry("${case}@mlock" "${case}" "KEYWARD_BIN=${bin};KEYWARD_ARENA=mlock")
  endif()
endforeach()
file(WRITE ${out} "${text}")
