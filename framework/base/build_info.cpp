#include "framework/base/build_info.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <build_info.hpp>  // generated
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

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

bool lies_in(const dl_phdr_info& object, std::uintptr_t address) {
  return std::any_of(object.dlpi_phdr, object.dlpi_phdr + object.dlpi_phnum, [&](const ElfW(Phdr) & part) {
    const std::uintptr_t begin = object.dlpi_addr + part.p_vaddr;
    return part.p_type == PT_LOAD && address >= begin && address - begin < part.p_memsz;
  });
}

// In hexadecimal, or empty.
std::string build_id(const dl_phdr_info& object) {
  std::string out;
  for (const ElfW(Phdr) & part : std::span(object.dlpi_phdr, object.dlpi_phnum)) {
    if (part.p_type != PT_NOTE) continue;
    const std::size_t align = std::max<std::size_t>(part.p_align, 4);
    const auto padded = [&](std::size_t size) { return (size + align - 1) / align * align; };
    const auto* at = reinterpret_cast<const unsigned char*>(object.dlpi_addr + part.p_vaddr);
    const unsigned char* const end = at + part.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end && out.empty()) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const unsigned char* const name = at + sizeof note;
      const unsigned char* const content = at + padded(sizeof note + note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
        for (std::size_t n = 0; n < note.n_descsz; ++n) out += fmt::format("{:02x}", content[n]);
      at = content + padded(note.n_descsz);
    }
  }
  return out;
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

std::string program_id() {
  std::vector<std::string> ids;
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* out) {
        const bool program = object->dlpi_name == nullptr || *object->dlpi_name == '\0';
        if (program || lies_in(*object, reinterpret_cast<std::uintptr_t>(&build_id)))
          static_cast<std::vector<std::string>*>(out)->push_back(build_id(*object));
        return 0;
      },
      &ids);
  if (ids.empty() || std::find(ids.begin(), ids.end(), "") != ids.end()) return "unknown";
  return fmt::format("{}", fmt::join(ids, " "));
}

std::string hdf5_runtime_version() {
  auto* f = loaded_function<int(unsigned*, unsigned*, unsigned*)>("H5get_libversion");
  unsigned major = 0, minor = 0, release = 0;
  if (f == nullptr || f(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace segue
