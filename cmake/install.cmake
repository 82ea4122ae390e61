# The installed prefix: command, library, public headers, find_package(vernier). Relocatable.
include(CMakePackageConfigHelpers)

install(TARGETS vernier EXPORT vernier LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS vernier_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/vernier" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/vernier")
install(EXPORT vernier NAMESPACE vernier:: FILE vernierConfig.cmake DESTINATION ${package_dir})
write_basic_package_version_file("${CMAKE_BINARY_DIR}/vernierConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/vernierConfigVersion.cmake" DESTINATION ${package_dir})

# A oneDNN that scripts/setup fetched goes along with its licences: the library finds it beside
# itself, wherever the prefix is moved. A oneDNN of the system stays where it is.
cmake_path(IS_PREFIX VERNIER_DEPS_DIR "${dnnl_DIR}" NORMALIZE bundled_onednn)
if(VERNIER_ONEDNN AND bundled_onednn)
  install(IMPORTED_RUNTIME_ARTIFACTS DNNL::dnnl LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY "${VERNIER_DEPS_DIR}/onednn/share/doc/onednn"
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc)
endif()
