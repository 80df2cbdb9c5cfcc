// What this program is made of and runs on, stored in every result.
#pragma once

#include <map>
#include <string>

namespace segue {

// version, git_commit, git_dirty ("yes", "no", "unknown"), compiler, flags, build_type, arch (as asked for),
// arch_resolved (what "native" meant), and versions of libraries: eigen, tbb, hdf5, yaml_cpp, armadillo, fmt, faiss. As it was
// built, so the same on every machine.
const std::map<std::string, std::string>& build_info();

// "Intel(R) Xeon(R) ...", or "unknown".
std::string cpu_model();

// The BLAS that this process really calls: OpenBLAS's own description with its version, and the name of the kernels it
// chose for this CPU ("SkylakeX"); "none" where no BLAS is loaded, "unknown" where it is not OpenBLAS.
std::string blas_version();
std::string blas_core();
// The build ids (sums of their content, made by the linker) of the program and of the library that this function lies in,
// as they are in memory: whatever happens to the files meanwhile, another build, another text. "unknown" where the linker
// left none.
std::string program_id();
// Of the HDF5 library loaded: "1.10.8", or "unknown".
std::string hdf5_runtime_version();

}  // namespace segue
