# The target headers_alone: one source for each header that includes it and nothing else, so that a
# header which leans on what its includers happen to include does not build. Not part of `all`.
# Headers for one instruction set need its flags; the files for that set include them.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS
     RELATIVE "${CMAKE_SOURCE_DIR}"
     "${CMAKE_SOURCE_DIR}/include/*.h" "${CMAKE_SOURCE_DIR}/src/*.h" "${CMAKE_SOURCE_DIR}/apps/*.h")
# These need the flags of their instruction set, and are the first thing that its files include.
list(FILTER headers EXCLUDE REGEX "/vec_(avx|neon)[a-z0-9]*\\.h$")
list(FILTER headers EXCLUDE REGEX "_(avx|amx|neon)[a-z0-9_]*\\.h$")
set(sources "")
foreach(header IN LISTS headers)
  set(source "${CMAKE_BINARY_DIR}/headers_alone/${header}.cc")
  # Twice: the second inclusion must add nothing.
  file(CONFIGURE OUTPUT "${source}"
       CONTENT "#include \"@CMAKE_SOURCE_DIR@/@header@\"\n#include \"@CMAKE_SOURCE_DIR@/@header@\"\n"
       @ONLY)
  list(APPEND sources "${source}")
endforeach()
add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${sources})
target_compile_options(headers_alone PRIVATE -O0 -g0)
target_include_directories(headers_alone PRIVATE
  "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/apps/vernier")
target_link_libraries(headers_alone PRIVATE vernier_flags fmt::fmt)
