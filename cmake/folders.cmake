# One object library and one test program per source folder.

# What most sources include, read by the compiler once: ten sources take 8.1 s of processor time with -O3
# like this, 13.4 s without. Nothing of ours is in it, so that an edited header recompiles what includes
# it and no more. Headers include what they use all the same: headers_alone does without.
set(VERNIER_COMMON_HEADERS
  <algorithm> <array> <cmath> <cstdint> <cstring> <functional> <limits> <map> <memory> <optional>
  <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# vernier_folder(NAME sources…): objects of src/NAME that become part of libvernier.
function(vernier_folder name)
  if(NOT TARGET vernier_common_headers)
    add_library(vernier_common_headers OBJECT "${CMAKE_SOURCE_DIR}/src/core/precompiled.cc")
    target_link_libraries(vernier_common_headers PRIVATE vernier_flags fmt::fmt OpenMP::OpenMP_CXX)
    target_precompile_headers(vernier_common_headers PRIVATE ${VERNIER_COMMON_HEADERS})
  endif()
  string(REPLACE "/" "_" target "vernier_${name}")
  add_library(${target} OBJECT ${ARGN})
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(${target} PRIVATE vernier_flags fmt::fmt OpenMP::OpenMP_CXX)
  target_precompile_headers(${target} REUSE_FROM vernier_common_headers)
  set_property(GLOBAL APPEND PROPERTY VERNIER_FOLDERS ${target})
endfunction()

# vernier_folder_link(NAME libraries…): third-party libraries that only this folder includes.
function(vernier_folder_link name)
  string(REPLACE "/" "_" target "vernier_${name}")
  target_link_libraries(${target} PRIVATE ${ARGN})
  set_property(GLOBAL APPEND PROPERTY VERNIER_LINKS ${ARGN})
endfunction()

# The command as tests spawn it. In a cross build that is a script which calls the emulator, since
# the kernel that runs the emulated test cannot start the command by itself.
set(VERNIER_SPAWNED_COMMAND "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/vernier")
if(CMAKE_CROSSCOMPILING)
  set(VERNIER_SPAWNED_COMMAND "${CMAKE_BINARY_DIR}/emulated/vernier")
  list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
  file(CONFIGURE OUTPUT "${VERNIER_SPAWNED_COMMAND}"
       CONTENT "#!/bin/sh\nexec @emulator@ '@CMAKE_RUNTIME_OUTPUT_DIRECTORY@/vernier' \"$@\"\n" @ONLY)
  file(CHMOD "${VERNIER_SPAWNED_COMMAND}" PERMISSIONS
       OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endif()

# Tests are compiled more often than they are run: unoptimised, for the library is what is proven (seven
# files of tests: 16.8 s of processor time with -O3, 8.5 s like this). In sanitizer builds they go without
# the undefined-behaviour checks too, on which the compiler would spend most of its time (csv_test.cc:
# 8.6 s with them and -O1, 2.6 s like this); address and thread checks stay. The library calls its own
# copies of inline functions, not a test's (src/CMakeLists.txt).
add_library(vernier_test_flags INTERFACE)
target_compile_options(vernier_test_flags INTERFACE -O0)
if(VERNIER_SANITIZE)
  target_compile_options(vernier_test_flags INTERFACE -fno-sanitize=undefined)
endif()

# vernier_tests(NAME sources…): the folder's test program, NAME_test.
function(vernier_tests name)
  if(NOT VERNIER_TESTS)
    return()
  endif()
  string(REPLACE "/" "_" target "${name}_test")
  if(NOT TARGET vernier_test_header)
    add_library(vernier_test_header OBJECT "${CMAKE_SOURCE_DIR}/tests/support/precompiled.cc")
    target_link_libraries(vernier_test_header PRIVATE vernier_flags vernier_test_flags GTest::gmock GTest::gtest)
    # Same position-independence on both sides, or the compiler refuses the header.
    set_target_properties(vernier_test_header PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_precompile_headers(vernier_test_header PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  add_executable(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE vernier vernier_flags vernier_test_flags fmt::fmt
                        GTest::gmock GTest::gtest_main)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/src")
  target_compile_definitions(${target} PRIVATE
    VERNIER_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    VERNIER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_precompile_headers(${target} REUSE_FROM vernier_test_header)
  add_test(NAME ${target} COMMAND ${target})
  # Threads that wait sleep, since tests run beside each other and beside other work. Where they spin,
  # generating on two threads took 47.8 s on a busy machine that does it in 2.5 s like this (asan).
  set_tests_properties(${target} PROPERTIES ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()

# vernier_benchmark(NAME sources…): a Google Benchmark program, built with VERNIER_BENCHMARKS=ON.
function(vernier_benchmark name)
  if(NOT VERNIER_BENCHMARKS)
    return()
  endif()
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(${name} PRIVATE vernier vernier_flags fmt::fmt benchmark::benchmark_main)
endfunction()
