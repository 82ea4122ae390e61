# vernier_isa_kernels("flags" sources…): flags for one instruction set, on these files only.
# Nothing else is ever compiled with such flags; tools/check_isa_symbols.py holds the objects to it.
# They are optimised as in release whatever the build type, but for sanitizers: g++ 12 takes 138 s of
# processor time for winograd_avx2.cc with -O3 and the checks of `asan`, 10 s with that preset's -O1
# (6 s with -O3 alone). Every check stays; leaving checks out instead saves less (no null, alignment,
# object-size and pointer-overflow: 71 s).
function(vernier_isa_kernels flags)
  separate_arguments(flag_list UNIX_COMMAND "${flags}")
  if(NOT VERNIER_SANITIZE)
    list(APPEND flag_list -O3)
  endif()
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS ${flag_list} -fno-exceptions)
endfunction()
