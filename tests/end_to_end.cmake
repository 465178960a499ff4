# SPDX-License-Identifier: Apache-2.0
# Tests of the built programs: tests/e2e/*_test.py, each file a CTest with its own process and ports.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
