# SPDX-License-Identifier: Apache-2.0
# Hardening of what ships (tests/border reads it back from the programs); off under
# sanitizers, which bring their own.
add_library(kw_hardening INTERFACE)
target_compile_options(kw_hardening INTERFACE
  -fvisibility=hidden -fstack-protector-strong -fno-omit-frame-pointer)
if(NOT KEYWARD_SANITIZE AND NOT KEYWARD_FUZZ)
  target_compile_options(kw_hardening INTERFACE -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    target_compile_options(kw_hardening INTERFACE -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
    target_compile_options(kw_hardening INTERFACE -mbranch-protection=standard)
  endif()
  target_compile_options(kw_hardening INTERFACE
    "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>"
    # Stack leftovers never become data; Clang 14 wants a second flag for it.
    "$<$<AND:$<NOT:$<CONFIG:Debug>>,$<C_COMPILER_ID:GNU>>:-ftrivial-auto-var-init=zero>")
endif()
target_link_options(kw_hardening INTERFACE
  -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
