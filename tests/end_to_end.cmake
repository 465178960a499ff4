# SPDX-License-Identifier: Apache-2.0
# Tests of the built programs: tests/e2e/*_test.py, each file a CTest with its own process and ports.
find_package(Python3 COMPONENTS Interpreter REQUIRED)

# Who may include whom, and that the check itself finds what it is for.
add_test(NAME layers COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/layers/layers_check.py ${PROJECT_SOURCE_DIR})
add_test(NAME layers_self_test COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/layers/layers_self_test.py)
set_tests_properties(layers layers_self_test PROPERTIES LABELS house TIMEOUT 60)
