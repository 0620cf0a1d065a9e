# SPDX-License-Identifier: Apache-2.0
# Warnings are errors with both compilers; third-party headers are SYSTEM includes.
add_library(kw_warnings INTERFACE)
target_compile_options(kw_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wsign-conversion;-Wshadow
  ;-Wstrict-prototypes;-Wmissing-prototypes;-Wvla;-Wcast-qual;-Wswitch-enum;-Wundef
  ;-Wformat=2;-Wnull-dereference;-Wimplicit-fallthrough;-Wno-missing-field-initializers;-Werror>)
# snprintf cuts messages on purpose; where a cut would matter (paths) its result is looked at.
# GCC's guess depends on the optimizer, so it would fail one build and not another.
target_compile_options(kw_warnings INTERFACE
  $<$<COMPILE_LANG_AND_ID:C,GNU>:-Wno-format-truncation>)
target_compile_definitions(kw_warnings INTERFACE KW_VERSION="${PROJECT_VERSION}")
# One dialect in the whole tree, headers compiled alone included.
add_compile_definitions(_GNU_SOURCE)
