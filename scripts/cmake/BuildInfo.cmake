# What this build is made of, for provenance: <build>/generated/build_info.hpp, which only framework/base/build_info.cpp
# includes. Included by framework/CMakeLists.txt, it writes a template with what configuring knows and declares the target
# that, at every build, runs this file again as a script (-DTEMPLATE -DOUTPUT -DSOURCE) to add the state of git. The header
# is rewritten only when something changed.
if(CMAKE_SCRIPT_MODE_FILE)
  set(GIT_COMMIT "unknown")
  set(GIT_DIRTY "unknown")
  execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE commit RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed EQUAL 0)
    set(GIT_COMMIT ${commit})
    execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes STREQUAL "")
      set(GIT_DIRTY "no")
    else()
      set(GIT_DIRTY "yes")
    endif()
  endif()
  configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
  return()
endif()

set(arch_resolved ${SEGUE_ARCH})
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=${SEGUE_ARCH} -Q --help=target OUTPUT_VARIABLE target ERROR_QUIET)
  if(target MATCHES "-march=[ \t]+([^ \t\n]+)")
    set(arch_resolved ${CMAKE_MATCH_1})
  endif()
endif()
string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}} -march=${SEGUE_ARCH} -ffp-contract=off" flags)
if(SEGUE_SANITIZE)
  string(APPEND flags " -fsanitize=${SEGUE_SANITIZE}")
endif()

set(facts "")
function(segue_fact key value)
  string(REPLACE "\"" "\\\"" value "${value}")
  set(facts "${facts}    {\"${key}\", \"${value}\"},\n" PARENT_SCOPE)
endfunction()
segue_fact(version "${PROJECT_VERSION}")
segue_fact(git_commit "@GIT_COMMIT@")
segue_fact(git_dirty "@GIT_DIRTY@")
segue_fact(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
segue_fact(flags "${flags}")
segue_fact(build_type "${CMAKE_BUILD_TYPE}")
segue_fact(arch "${SEGUE_ARCH}")
segue_fact(arch_resolved "${arch_resolved}")
segue_fact(eigen "${Eigen3_VERSION}")
segue_fact(tbb "${TBB_VERSION}")
segue_fact(hdf5 "${HDF5_VERSION}")
segue_fact(yaml_cpp "${yaml-cpp_VERSION}")
segue_fact(armadillo "${ARMADILLO_VERSION_STRING}")
segue_fact(fmt "${fmt_VERSION}")
segue_fact(faiss "${faiss_VERSION}")
set(template ${CMAKE_BINARY_DIR}/build_info.hpp.in)
set(text "// Written by scripts/cmake/BuildInfo.cmake.
#pragma once

namespace segue {

struct BuildFact {
  const char* key;
  const char* value;
};

inline constexpr BuildFact kBuildFacts[] = {
${facts}};

}  // namespace segue
")
file(WRITE ${template} "${text}")
set(output ${CMAKE_BINARY_DIR}/generated/build_info.hpp)
add_custom_target(segue_build_info BYPRODUCTS ${output} VERBATIM COMMENT ""
  COMMAND ${CMAKE_COMMAND} -DTEMPLATE=${template} -DOUTPUT=${output} -DSOURCE=${CMAKE_SOURCE_DIR}
          -P ${CMAKE_CURRENT_LIST_DIR}/BuildInfo.cmake)
