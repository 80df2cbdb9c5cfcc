#include "framework/experiment/provenance.hpp"

#include "framework/base/build_info.hpp"
#include "framework/base/clock.hpp"

namespace segue {

std::map<std::string, std::string> provenance() {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : build_info()) out["build_" + name] = value;
  out["cpu"] = cpu_model();
  out["blas"] = blas_version();
  out["blas_core"] = blas_core();
  out["created"] = utc_now();
  return out;
}

}  // namespace segue
