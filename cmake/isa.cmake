# vernier_isa_kernels("flags" sources…): flags for one instruction set, on these files only.
# Nothing else is ever compiled with such flags; tools/check_isa_symbols.py holds the objects to it.
function(vernier_isa_kernels flags)
  separate_arguments(flag_list UNIX_COMMAND "${flags}")
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS ${flag_list} -O3 -fno-exceptions)
endfunction()
