# SPDX-License-Identifier: Apache-2.0
# Warnings are errors with both compilers; third-party headers are SYSTEM includes.
add_library(kw_warnings INTERFACE)
target_compile_options(kw_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wsign-conversion;-Wshadow
  ;-Wstrict-prototypes;-Wmissing-prototypes;-Wvla;-Wcast-qual;-Wswitch-enum;-Wundef
  ;-Wformat=2;-Wnull-dereference;-Wimplicit-fallthrough;-Wno-missing-field-initializers;-Werror>)
target_compile_definitions(kw_warnings INTERFACE KW_VERSION="${PROJECT_VERSION}")
# One dialect in the whole house, headers compiled alone included.
add_compile_definitions(_GNU_SOURCE)
