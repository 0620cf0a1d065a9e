# SPDX-License-Identifier: Apache-2.0
# What a plain `cmake -S . -B build` gets: the programs that ship, and ccache where it is.
# Tests and the bench have needs of their own, so whoever wants them says so.
option(BUILD_TESTING "Build the tests" OFF)
option(KEYWARD_BENCH "Build keyward-bench, which measures" OFF)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, RelWithDebInfo, Release" FORCE)
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT DEFINED CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE} CACHE STRING "What runs the compiler")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE} CACHE STRING "What runs the C++ compiler")
endif()
