#include "framework/base/build_info.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <build_info.hpp>  // generated
#include <dlfcn.h>
#include <fmt/format.h>

#include "framework/base/hash.hpp"

namespace segue {

namespace {

// A function of a library that is loaded anyway, so that base needs no link to it.
template <class F>
F* loaded_function(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_DEFAULT, name));
}

std::string blas_text(const char* function) {
  if (::dlsym(RTLD_DEFAULT, "dgemm_") == nullptr) return "none";
  auto* f = loaded_function<const char*()>(function);
  return f == nullptr ? "unknown" : f();
}

}  // namespace

const std::map<std::string, std::string>& build_info() {
  static const auto info = [] {
    std::map<std::string, std::string> out;
    for (const BuildFact& fact : kBuildFacts) out.emplace(fact.key, fact.value);
    return out;
  }();
  return info;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string blas_version() { return blas_text("openblas_get_config"); }
std::string blas_core() { return blas_text("openblas_get_corename"); }

std::string program_hash() {
  Dl_info library{};
  const bool known = ::dladdr(reinterpret_cast<void*>(&program_hash), &library) != 0 && library.dli_fname != nullptr;
  Hasher hasher;
  for (const std::string& path : {std::string("/proc/self/exe"), std::string(known ? library.dli_fname : "/proc/self/exe")}) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> chunk(std::size_t{1} << 20);
    do {
      file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      hasher.bytes(chunk.data(), static_cast<std::size_t>(file.gcount()));
    } while (file);
    if (!file.eof()) return "unknown";
  }
  return hasher.hex();
}

std::string hdf5_runtime_version() {
  auto* f = loaded_function<int(unsigned*, unsigned*, unsigned*)>("H5get_libversion");
  unsigned major = 0, minor = 0, release = 0;
  if (f == nullptr || f(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace segue
