# cmake --install: the program, the library, its headers, and the CMake package with which plugins are built outside this tree.
include_guard()
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/segue)
set_target_properties(segue_flags PROPERTIES EXPORT_NAME flags)
install(TARGETS segue_core segue_flags EXPORT segue
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET segue)
  install(TARGETS segue RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/framework DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/segue FILES_MATCHING PATTERN *.hpp)
install(EXPORT segue NAMESPACE segue:: FILE segueTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(${CMAKE_SOURCE_DIR}/scripts/cmake/segueConfig.cmake.in ${CMAKE_BINARY_DIR}/package/segueConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/segueConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/segueConfig.cmake ${CMAKE_BINARY_DIR}/package/segueConfigVersion.cmake
  ${CMAKE_SOURCE_DIR}/scripts/cmake/SeguePlugin.cmake DESTINATION ${package_dir})
