# Precompiled headers: reading the standard library, Eigen and GoogleTest is half of what most files cost. Only headers of others are
# in them, so that a change here compiles nothing else anew. A file still includes what it uses: the tidy preset builds without them
# (CMAKE_DISABLE_PRECOMPILE_HEADERS).
include_guard()

set(SEGUE_COMMON_HEADERS
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cmath> <cstdint> <cstring> <filesystem> <fstream> <functional> <iterator>
  <limits> <map> <memory> <mutex> <numbers> <numeric> <optional> <random> <ranges> <set> <span> <sstream> <stdexcept> <string>
  <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector> <Eigen/Core> <fmt/format.h>)
file(WRITE ${CMAKE_BINARY_DIR}/generated/empty.cpp.in "// Nothing but its precompiled header.\n")
configure_file(${CMAKE_BINARY_DIR}/generated/empty.cpp.in ${CMAKE_BINARY_DIR}/generated/empty.cpp COPYONLY)

# segue_precompile(NAME [PROGRAMS] HEADERS header... [LINKS library...]): headers compiled once, for targets that say
# target_precompile_headers(TARGET REUSE_FROM NAME). The compiler takes them only under the options that they were compiled with;
# what programs (PROGRAMS) and libraries differ in is how their code may be moved.
function(segue_precompile name)
  cmake_parse_arguments(P "PROGRAMS" "" "HEADERS;LINKS" ${ARGN})
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/generated/empty.cpp)
  target_link_libraries(${name} PRIVATE segue_flags segue_warnings ${P_LINKS})
  if(P_PROGRAMS)
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIE)
  endif()
  target_precompile_headers(${name} PRIVATE ${P_HEADERS})
endfunction()
