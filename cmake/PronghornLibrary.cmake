# SPDX-License-Identifier: Apache-2.0
# The rooms' objects in one static library, its install rules and the package that find_package(pronghorn) finds.
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY PRONGHORN_ROOMS)
set(objects $<TARGET_OBJECTS:pronghorn_llhttp>)
if(TARGET pronghorn_llhttp_sse42)
  list(APPEND objects $<TARGET_OBJECTS:pronghorn_llhttp_sse42>)
endif()
foreach(room IN LISTS rooms)
  list(APPEND objects $<TARGET_OBJECTS:pronghorn_${room}>)
endforeach()
add_library(pronghorn STATIC ${objects})
add_library(pronghorn::pronghorn ALIAS pronghorn)
set_target_properties(pronghorn PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(pronghorn PUBLIC cxx_std_23)
# By name once installed: a path of the building machine would name its architecture.
target_link_libraries(pronghorn PRIVATE
  $<BUILD_INTERFACE:${PRONGHORN_LIBUV_LIBRARY}> $<INSTALL_INTERFACE:uv>
  $<BUILD_INTERFACE:${PRONGHORN_WSLAY_LIBRARY}> $<INSTALL_INTERFACE:wslay> ZLIB::ZLIB
  $<BUILD_INTERFACE:${PRONGHORN_BROTLI_LIBRARY}> $<INSTALL_INTERFACE:brotlienc>
  $<BUILD_INTERFACE:${PRONGHORN_ZSTD_LIBRARY}> $<INSTALL_INTERFACE:zstd> spdlog::spdlog fmt::fmt Threads::Threads)
target_include_directories(pronghorn PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# The program.
add_executable(pronghorn_program ${PROJECT_SOURCE_DIR}/app/main.cpp)
set_target_properties(pronghorn_program PROPERTIES OUTPUT_NAME pronghorn RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_link_libraries(pronghorn_program PRIVATE pronghorn_app pronghorn_options)

install(TARGETS pronghorn_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS pronghorn EXPORT pronghornTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/pronghorn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
foreach(room IN LISTS rooms)
  get_property(headers GLOBAL PROPERTY PRONGHORN_ROOM_HEADERS_${room})
  foreach(header IN LISTS headers)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/${room}/${header}
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pronghorn/${room}/${folder})
  endforeach()
endforeach()
install(EXPORT pronghornTargets NAMESPACE pronghorn:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/pronghorn)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/pronghornConfig.cmake.in ${PROJECT_BINARY_DIR}/pronghornConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/pronghorn)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pronghornConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pronghornConfig.cmake ${PROJECT_BINARY_DIR}/pronghornConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/pronghorn)
# Relative, so that an installed tree can be moved.
file(RELATIVE_PATH PRONGHORN_LIBDIR_TO_PREFIX /${CMAKE_INSTALL_LIBDIR} /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/pronghorn.pc.in ${PROJECT_BINARY_DIR}/pronghorn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pronghorn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# An example of a configuration, not one: /etc is the administrator's.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/pronghorn.service DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/pronghorn.sysusers.conf DESTINATION lib/sysusers.d RENAME pronghorn.conf)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/pronghorn.toml ${PROJECT_SOURCE_DIR}/packaging/pronghorn.logrotate
        ${PROJECT_SOURCE_DIR}/docs/how-to/logs.md ${PROJECT_SOURCE_DIR}/docs/how-to/deploy-with-systemd.md
        ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
