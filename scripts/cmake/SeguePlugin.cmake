# How a plugin is built: the same function inside this tree (segue_algorithm(NAME PLUGIN), tests) and, installed with the package,
# outside it (scripts/plugin-template).
include_guard()

# segue_add_plugin(NAME source...): the target NAME makes NAME.so in SEGUE_PLUGIN_DIR (default: the top of the build folder), for
# `segue --plugin NAME.so`. One SEGUE_ALGORITHM a plugin. The flags that the program's ABI needs come with segue::segue.
function(segue_add_plugin name)
  if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "a plugin's name is lower-case letters, digits and underscores, beginning with a letter; not '${name}'")
  endif()
  if(NOT ARGN)
    message(FATAL_ERROR "segue_add_plugin(${name}) needs its sources: segue_add_plugin(${name} ${name}.cpp)")
  endif()
  if(NOT SEGUE_PLUGIN_DIR)
    set(SEGUE_PLUGIN_DIR ${CMAKE_BINARY_DIR})
  endif()
  add_library(${name} MODULE ${ARGN})
  target_compile_definitions(${name} PRIVATE SEGUE_PLUGIN)
  # Unique symbols would make one object of the static variables of two plugins' equally named templates.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_libraries(${name} PRIVATE segue::segue)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX .so LIBRARY_OUTPUT_DIRECTORY ${SEGUE_PLUGIN_DIR}
    CXX_STANDARD 20 CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET default POSITION_INDEPENDENT_CODE ON)
endfunction()
