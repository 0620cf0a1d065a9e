# SPDX-License-Identifier: Apache-2.0
# A module is a static library that sees its own headers and those of the modules it stands on.
# kw_module stages links to exactly the headers a module shows, so a forbidden header of ours is
# a compile error (tests/border proves it).  A module without SOURCES is a door.
#
#   kw_module(kms SHOWS kms.h SOURCES decrypt.c … ON base hsm_door ON_PRIVATE envelope cache
#           LINKS OpenSSL::Crypto)
# A misspelt module stops the configuration instead of becoming "-lkw_…" on a link line.
set(CMAKE_LINK_LIBRARIES_ONLY_TARGETS ON)

function(kw_module name)
  cmake_parse_arguments(R "" "" "SHOWS;SOURCES;ON;ON_PRIVATE;LINKS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/modules/${name})
  file(REMOVE_RECURSE ${root})
  file(MAKE_DIRECTORY ${root}/keyward)
  foreach(h IN LISTS R_SHOWS)
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/include/keyward/${h})
      message(FATAL_ERROR "kw_module(${name}): there is no include/keyward/${h} to show")
    endif()
    set_property(GLOBAL APPEND PROPERTY KW_SHOWN ${h})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/keyward/${h} ${root}/keyward/${h} SYMBOLIC)
    list(APPEND shown ${root}/keyward/${h})
  endforeach()
  # Compiled alone as what they are: once C++ is enabled (bench) CMake would guess that.
  set_source_files_properties(${shown} PROPERTIES LANGUAGE C)
  list(TRANSFORM R_ON PREPEND kw_)
  list(TRANSFORM R_ON_PRIVATE PREPEND kw_)
  if(R_SOURCES)
    add_library(kw_${name} STATIC ${R_SOURCES})
    target_sources(kw_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${root} FILES ${shown})
    target_link_libraries(kw_${name} PUBLIC ${R_ON} PRIVATE ${R_ON_PRIVATE} ${R_LINKS}
      kw_warnings kw_hardening kw_sanitize)
  else()
    add_library(kw_${name} INTERFACE)
    target_sources(kw_${name} INTERFACE FILE_SET HEADERS BASE_DIRS ${root} FILES ${shown})
    target_link_libraries(kw_${name} INTERFACE ${R_ON})
  endif()
  # Target all_verify_interface_header_sets compiles each shown header alone.
  set_target_properties(kw_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# A program: its own sources and the modules it links.
function(kw_program name)
  cmake_parse_arguments(P "" "" "SOURCES;MODULES;LINKS" ${ARGN})
  list(TRANSFORM P_MODULES PREPEND kw_)
  add_executable(${name} ${P_SOURCES})
  target_link_libraries(${name} PRIVATE ${P_MODULES} ${P_LINKS} kw_warnings kw_hardening kw_sanitize)
  target_link_options(${name} PRIVATE -pie)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
