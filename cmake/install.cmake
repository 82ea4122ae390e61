# The installed prefix: command, library, public headers, find_package(vernier). Relocatable.
include(CMakePackageConfigHelpers)
install(TARGETS vernier EXPORT vernier LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS vernier_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/vernier" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/vernier")
install(EXPORT vernier NAMESPACE vernier:: FILE vernierTargets.cmake DESTINATION ${package_dir})
file(WRITE "${CMAKE_BINARY_DIR}/vernierConfig.cmake"
     "include(\"\${CMAKE_CURRENT_LIST_DIR}/vernierTargets.cmake\")\n")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/vernierConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/vernierConfig.cmake"
        "${CMAKE_BINARY_DIR}/vernierConfigVersion.cmake" DESTINATION ${package_dir})
if(VERNIER_ONEDNN)
  # The library finds oneDNN beside itself, wherever the prefix is moved.
  install(IMPORTED_RUNTIME_ARTIFACTS DNNL::dnnl LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
