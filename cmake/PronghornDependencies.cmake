# SPDX-License-Identifier: Apache-2.0
# Everything comes from Debian 12's packages; scripts/deps installs them.
include(GNUInstallDirs)
find_package(Threads REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)

# libuv's pkg-config file is not used, so that consumers of the installed package need no pkg-config.
find_path(PRONGHORN_LIBUV_INCLUDE uv.h REQUIRED)
find_library(PRONGHORN_LIBUV_LIBRARY uv REQUIRED)

# The frames of WebSocket, likewise.
find_path(PRONGHORN_WSLAY_INCLUDE wslay/wslay.h REQUIRED)
find_library(PRONGHORN_WSLAY_LIBRARY wslay REQUIRED)

# Compression on the way; brotli and zstd have no CMake packages of their own in Debian 12.
find_package(ZLIB REQUIRED)
find_library(PRONGHORN_BROTLI_LIBRARY brotlienc REQUIRED)
find_path(PRONGHORN_BROTLI_INCLUDE brotli/encode.h REQUIRED)
find_library(PRONGHORN_ZSTD_LIBRARY zstd REQUIRED)
find_path(PRONGHORN_ZSTD_INCLUDE zstd.h REQUIRED)

# Debian ships llhttp as C sources (package node-llhttp). Loose mode is exploitable: strict everywhere.
set(PRONGHORN_LLHTTP_SOURCES /usr/share/llhttp CACHE PATH "Folder with llhttp's api.c, http.c and llhttp.c")
find_path(PRONGHORN_LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH REQUIRED)
add_library(pronghorn_llhttp STATIC
  ${PRONGHORN_LLHTTP_SOURCES}/api.c ${PRONGHORN_LLHTTP_SOURCES}/http.c ${PRONGHORN_LLHTTP_SOURCES}/llhttp.c)
target_compile_definitions(pronghorn_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_include_directories(pronghorn_llhttp SYSTEM PUBLIC $<BUILD_INTERFACE:${PRONGHORN_LLHTTP_INCLUDE}>)
target_compile_options(pronghorn_llhttp PRIVATE -w)

# The parser once more for processors with SSE4.2, which Debian's amd64 does not presume: chosen at run time
# (server/parser.cpp). All that it defines gets another name.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
  file(STRINGS ${PRONGHORN_LLHTTP_SOURCES}/llhttp.c lines REGEX "^int llhttp__internal_[A-Za-z0-9_]+\\(")
  string(REGEX MATCHALL "llhttp__internal_[A-Za-z0-9_]+" names "${lines}")
  list(REMOVE_DUPLICATES names)
  list(TRANSFORM names REPLACE "(.+)" "#define \\1 pronghorn_sse42_\\1\n" OUTPUT_VARIABLE renames)
  list(JOIN renames "" renames)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/llhttp_sse42.h CONTENT "${renames}" @ONLY)
  add_library(pronghorn_llhttp_sse42 OBJECT ${PRONGHORN_LLHTTP_SOURCES}/llhttp.c)
  target_compile_definitions(pronghorn_llhttp_sse42 PRIVATE LLHTTP_STRICT_MODE=1)
  target_include_directories(pronghorn_llhttp_sse42 SYSTEM PRIVATE ${PRONGHORN_LLHTTP_INCLUDE})
  target_compile_options(pronghorn_llhttp_sse42 PRIVATE -w -msse4.2 -include ${PROJECT_BINARY_DIR}/llhttp_sse42.h)
  target_sources(pronghorn_llhttp PRIVATE $<TARGET_OBJECTS:pronghorn_llhttp_sse42>)
  target_compile_definitions(pronghorn_llhttp PUBLIC PRONGHORN_LLHTTP_SSE42)
endif()
