# SPDX-License-Identifier: Apache-2.0
# Third parties, linked and never copied.  Each is an imported target that only the module
# of the table in docs/ARCHITECTURE.md links.
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(Threads REQUIRED)
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1>=0.24)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent_core)
pkg_check_modules(LIBEVENT_OPENSSL REQUIRED IMPORTED_TARGET libevent_openssl)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(PROTOBUFC REQUIRED IMPORTED_TARGET libprotobuf-c)
# Not grpc.pc: it names some fifty C++ libraries that a C program does not want.
find_library(GRPC_LIBRARY grpc REQUIRED)
find_library(GPR_LIBRARY gpr REQUIRED)
find_path(GRPC_INCLUDE grpc/grpc.h REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
add_library(kw_grpc INTERFACE)
target_link_libraries(kw_grpc INTERFACE ${GRPC_LIBRARY} ${GPR_LIBRARY})

# From here on, nothing that the product needs (tests/border proves it).
if(BUILD_TESTING)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
if(KEYWARD_BENCH) # its HTTP/2
  pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
endif()
