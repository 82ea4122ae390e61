# Language, warnings and sanitizers for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The precompiled test header needs ccache's relaxed handling of its defines. Paths count from the
  # sources, so that presets whose flags agree (release and no-onednn) share what they compile.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE_PROGRAM})
endif()

add_library(vernier_flags INTERFACE)
# Contraction off: preprocessing reproduces arithmetic that rounds after every operation.
target_compile_options(vernier_flags INTERFACE -Wall -Wextra -Wshadow -Wpedantic -Wnon-virtual-dtor
                       -Wno-missing-field-initializers  # designated initialisers leave defaults
                       -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps, overflows and uninitialised members where there are none, in
  # "literal" + std::string and in structs filled by designated initialisers (GCC bugs 105329,
  # 105651 and their kin, fixed in 13). The sanitizers and clang-tidy look for real ones.
  target_compile_options(vernier_flags INTERFACE -Wno-restrict -Wno-array-bounds
                         -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized)
endif()
if(VERNIER_WERROR)
  target_compile_options(vernier_flags INTERFACE -Werror)
endif()
if(VERNIER_SANITIZE)
  target_compile_options(vernier_flags INTERFACE -fsanitize=${VERNIER_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(vernier_flags INTERFACE -fsanitize=${VERNIER_SANITIZE})
endif()
