# SPDX-License-Identifier: Apache-2.0
# Language level and warnings for everything that is ours.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(PRONGHORN_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)

add_library(pronghorn_options INTERFACE)
target_compile_options(pronghorn_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
if(PRONGHORN_WARNINGS_AS_ERRORS)
  target_compile_options(pronghorn_options INTERFACE -Werror)
endif()
