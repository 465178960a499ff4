# SPDX-License-Identifier: Apache-2.0
# pronghorn_room(NAME SOURCES … HEADERS <public headers> DEPS <rooms> LIBS <private third-party targets>)
# makes the target pronghorn_NAME. Rooms see each other only through DEPS; tests/layers checks every #include.
set_property(GLOBAL PROPERTY PRONGHORN_ROOMS "")
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)

function(pronghorn_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;HEADERS;DEPS;LIBS" ${ARGN})
  set(target pronghorn_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_link_libraries(${target} PRIVATE pronghorn_options ${ROOM_LIBS})
  foreach(dep IN LISTS ROOM_DEPS)
    target_link_libraries(${target} PUBLIC pronghorn_${dep})
  endforeach()
  # "room/x.h" from the top of the tree; <pronghorn/room/x.h> through one symlink per room.
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/pronghorn)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${name} ${PROJECT_BINARY_DIR}/include/pronghorn/${name} SYMBOLIC)
  set_property(GLOBAL APPEND PROPERTY PRONGHORN_ROOMS ${name})
  set_property(GLOBAL PROPERTY PRONGHORN_ROOM_HEADERS_${name} ${ROOM_HEADERS})
endfunction()
