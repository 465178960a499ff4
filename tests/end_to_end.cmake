# SPDX-License-Identifier: Apache-2.0
# Tests of the built programs: tests/e2e/*_test.py, each file a CTest with its own process and ports.
find_package(Python3 COMPONENTS Interpreter REQUIRED)

# Who may include whom, and that the check itself finds what it is for.
add_test(NAME layers COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/layers/layers_check.py ${PROJECT_SOURCE_DIR})
add_test(NAME layers_self_test COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/layers/layers_self_test.py)
set_tests_properties(layers layers_self_test PROPERTIES LABELS house TIMEOUT 60)

add_subdirectory(tools)
add_subdirectory(compare)

# pronghorn_end_to_end(NAME TIMEOUT SECONDS [SERIAL] [COST SECONDS]): tests/e2e/NAME_test.py. SERIAL for what measures
# time or needs the machine for itself. COST for what is long, to be begun first: begun last it would run alone.
function(pronghorn_end_to_end name)
  cmake_parse_arguments(E2E "SERIAL" "TIMEOUT;COST" "" ${ARGN})
  add_test(NAME e2e/${name} COMMAND ${Python3_EXECUTABLE} -B -u ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${name}_test.py)
  set(environment
    PRONGHORN_BINARY=$<TARGET_FILE:pronghorn_program>
    PRONGHORN_HAMMER=$<TARGET_FILE:hammer>
    PRONGHORN_CRASH_AT_START=$<TARGET_FILE:pronghorn_crash_at_start>
    PRONGHORN_FAULT_SHIM=$<TARGET_FILE:pronghorn_fault_shim>
    PRONGHORN_BUILD=${PROJECT_BINARY_DIR} PRONGHORN_CXX=${CMAKE_CXX_COMPILER}
    "PRONGHORN_CXXFLAGS=${CMAKE_CXX_FLAGS}")
  set_tests_properties(e2e/${name} PROPERTIES
    LABELS e2e TIMEOUT ${E2E_TIMEOUT} ENVIRONMENT "${environment}" RUN_SERIAL ${E2E_SERIAL} COST "${E2E_COST}")
endfunction()

pronghorn_end_to_end(hammer TIMEOUT 120 COST 6)
pronghorn_end_to_end(start TIMEOUT 120)
pronghorn_end_to_end(status TIMEOUT 120)
pronghorn_end_to_end(site TIMEOUT 120)
pronghorn_end_to_end(logs TIMEOUT 120)
pronghorn_end_to_end(access_log TIMEOUT 120)
pronghorn_end_to_end(request_id TIMEOUT 120)
pronghorn_end_to_end(reopen TIMEOUT 240 COST 25)
pronghorn_end_to_end(crash_loop TIMEOUT 240 COST 50)
pronghorn_end_to_end(death TIMEOUT 240 COST 8)
pronghorn_end_to_end(stop TIMEOUT 240 SERIAL)
pronghorn_end_to_end(faults TIMEOUT 120)
pronghorn_end_to_end(client_limits TIMEOUT 120)
pronghorn_end_to_end(privileges TIMEOUT 120)
set_tests_properties(e2e/privileges PROPERTIES SKIP_RETURN_CODE 77)  # it needs root
pronghorn_end_to_end(hung_disk TIMEOUT 120)
set_tests_properties(e2e/hung_disk PROPERTIES SKIP_RETURN_CODE 77)  # it needs root and a loop device
pronghorn_end_to_end(load TIMEOUT 120 SERIAL)
pronghorn_end_to_end(node_primary TIMEOUT 240)
pronghorn_end_to_end(scheduling TIMEOUT 240 COST 13)
pronghorn_end_to_end(run TIMEOUT 240 COST 12)
pronghorn_end_to_end(polyglot TIMEOUT 120)
pronghorn_end_to_end(http_cases TIMEOUT 500 COST 25)
pronghorn_end_to_end(nginx TIMEOUT 120)
pronghorn_end_to_end(slow TIMEOUT 180 COST 20)
pronghorn_end_to_end(files TIMEOUT 120)
pronghorn_end_to_end(library TIMEOUT 120)
pronghorn_end_to_end(hooks TIMEOUT 120)
pronghorn_end_to_end(techempower TIMEOUT 120)
pronghorn_end_to_end(install TIMEOUT 300 COST 13)
pronghorn_end_to_end(node_versions TIMEOUT 300 COST 30)
pronghorn_end_to_end(frameworks TIMEOUT 300 COST 40)

add_test(NAME docs COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/docs/docs_check.py ${PROJECT_SOURCE_DIR})
set_tests_properties(docs PROPERTIES LABELS house TIMEOUT 60)
