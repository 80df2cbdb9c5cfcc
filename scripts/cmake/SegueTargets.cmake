# Compiler settings shared by everything, and the functions that declare a framework module, a dataset and an algorithm.

add_library(segue_flags INTERFACE)
target_include_directories(segue_flags INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated> $<INSTALL_INTERFACE:include/segue>)
target_compile_features(segue_flags INTERFACE cxx_std_20)
# No fused multiply-add behind our back and no Eigen threads: the same bits for any thread count (framework/README.md).
target_compile_definitions(segue_flags INTERFACE EIGEN_DONT_PARALLELIZE FMT_SHARED SPDLOG_FMT_EXTERNAL)
target_compile_options(segue_flags INTERFACE -march=${SEGUE_ARCH} -ffp-contract=off)
target_link_libraries(segue_flags INTERFACE fmt::fmt Eigen3::Eigen)
target_link_options(segue_flags INTERFACE -Wl,--build-id=sha1)  # by which a checkpoint knows who wrote it: program_id()

add_library(segue_warnings INTERFACE)
target_compile_options(segue_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wcast-qual -Wnull-dereference
  $<$<BOOL:${SEGUE_WERROR}>:-Werror> $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wno-maybe-uninitialized -Wno-null-dereference -Wno-restrict>)
if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)  # GCC 12 sees overflows in its own std::string once that comes from a precompiled header
  target_compile_options(segue_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow -Wno-array-bounds>)
endif()
if(SEGUE_SANITIZE)  # installed too: a plugin must match its program in this as well
  target_compile_options(segue_flags INTERFACE -fsanitize=${SEGUE_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(segue_flags INTERFACE -fsanitize=${SEGUE_SANITIZE})
endif()
if(SEGUE_SANITIZE MATCHES undefined)
  # A check of every pointer is a quarter of the compilation. What has no layout of its own to get wrong goes without:
  # AddressSanitizer sees null anyway, and only modules that are marked so read bytes as numbers.
  target_compile_options(segue_flags INTERFACE
    -fno-sanitize=vptr $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SEGUE_READS_BYTES>>>:-fno-sanitize=null,alignment>)
endif()

include(SeguePrecompiled)
segue_precompile(segue_headers HEADERS ${SEGUE_COMMON_HEADERS})

set(modules_that_read_bytes base linalg h5 index audio data nn store)
# segue_module(NAME [USES module...] [LINKS library...]): framework/NAME/*.cpp as an object library.
function(segue_module name)
  cmake_parse_arguments(M "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/framework/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(segue_${name} OBJECT ${sources})
  target_link_libraries(segue_${name} PUBLIC segue_flags PRIVATE segue_warnings ${M_LINKS})
  if(name IN_LIST modules_that_read_bytes)
    set_target_properties(segue_${name} PROPERTIES SEGUE_READS_BYTES ON)
  endif()
  if(NOT name STREQUAL index AND NOT (SEGUE_SANITIZE AND name IN_LIST modules_that_read_bytes))  # which have options of their own
    target_precompile_headers(segue_${name} REUSE_FROM segue_headers)
  endif()
  foreach(used IN LISTS M_USES)
    if(TARGET segue_${used})
      add_dependencies(segue_${name} segue_${used})
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SEGUE_MODULES segue_${name})
  set_property(GLOBAL APPEND PROPERTY SEGUE_LINKS ${M_LINKS})
endfunction()

# segue_dataset(NAME): datasets/NAME/*.cpp, listed in the generated registry.
function(segue_dataset name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/datasets/${name}/*.cpp)
  add_library(dataset_${name} OBJECT ${sources})
  target_link_libraries(dataset_${name} PUBLIC segue_flags PRIVATE segue_warnings)
  target_precompile_headers(dataset_${name} REUSE_FROM segue_headers)
  set_property(GLOBAL APPEND PROPERTY SEGUE_DATASETS ${name})
endfunction()

# segue_algorithm(NAME [PLUGIN]): algorithms/NAME/*.cpp, listed in the generated registry, or built as plugins/NAME.so.
function(segue_algorithm name)
  cmake_parse_arguments(A "PLUGIN" "" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/algorithms/${name}/*.cpp)
  if(A_PLUGIN)
    include(SeguePlugin)
    set(SEGUE_PLUGIN_DIR ${CMAKE_BINARY_DIR}/plugins)
    segue_add_plugin(${name} ${sources})
    target_link_libraries(${name} PRIVATE segue_warnings)
    return()
  endif()
  add_library(algorithm_${name} OBJECT ${sources})
  target_link_libraries(algorithm_${name} PUBLIC segue_flags PRIVATE segue_warnings)
  target_precompile_headers(algorithm_${name} REUSE_FROM segue_headers)
  set_property(GLOBAL APPEND PROPERTY SEGUE_ALGORITHMS ${name})
endfunction()
