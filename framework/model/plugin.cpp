#include "framework/model/plugin.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include <dlfcn.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/model/abi.hpp"
#include "framework/model/elf.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

constexpr const char* kRemedy = "rebuild the plugin against this Segue: cmake --fresh -B build && cmake --build build";

std::string read_plugin(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    throw UsageError("plugin '{}' does not exist; give the path of a .so file, such as build/my_algorithm.so",
                     path.string());
  }
  if (!fs::is_regular_file(status)) {
    throw UsageError("plugin '{}' is {}; give the path of the .so file", path.string(),
                     fs::is_directory(status) ? "a directory" : "not a file");
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw UsageError("plugin '{}' cannot be read: {}", path.string(), std::strerror(errno));
  return bytes;
}

// dlopen() answers a path that it knows with the library that it has, even where the file is another by now.
void refuse_changed_file(const std::string& file, const std::string& hash) {
  static std::map<std::string, std::string> loaded;  // of the process, as the mapped code is
  const auto [it, fresh] = loaded.try_emplace(file, hash);
  if (!fresh && it->second != hash) {
    throw UsageError("plugin '{}' has changed since this process loaded it; start the program again", file);
  }
}

class OriginScope {
 public:
  OriginScope(Registry& registry, const std::string& file, const std::string& hash) : registry_(registry) {
    registry.set_origin(file, hash);
  }
  ~OriginScope() { registry_.set_origin("built in", ""); }
  OriginScope(const OriginScope&) = delete;
  OriginScope& operator=(const OriginScope&) = delete;

 private:
  Registry& registry_;
};

}  // namespace

std::string plugin_abi_mark(std::string_view bytes, const std::string& name) {
  const ElfSection section = elf_section(bytes, kAbiSection);
  switch (section.problem) {
    case ElfProblem::kNone:
      break;
    case ElfProblem::kNotElf:
      throw UsageError("plugin '{}' is not a shared library (it is not an ELF file); give the path of the .so file",
                       name);
    case ElfProblem::kNotShared:
      throw UsageError("plugin '{}' is an ELF file but not a shared library; give the path of the .so file", name);
    case ElfProblem::kOtherMachine:
      throw UsageError("plugin '{}' was built for another kind of machine; {}", name, kRemedy);
    case ElfProblem::kDamaged:
      throw UsageError("plugin '{}' is truncated or damaged: {}; build or copy it again", name, section.detail);
    case ElfProblem::kNoSection:
      throw UsageError(
          "'{}' is a shared library but is not a Segue plugin: it has no section {}; build it with segue_add_plugin() "
          "(scripts/new-plugin makes an example)",
          name, kAbiSection);
  }
  const std::string_view mark = section.content.substr(0, section.content.find('\0'));
  if (!mark.starts_with("SEGUE-ABI "))
    throw UsageError("plugin '{}' is truncated or damaged: its ABI mark is not one; {}", name, kRemedy);
  return std::string(mark);
}

void load_plugin(const fs::path& path, Registry& registry) {
  const std::string bytes = read_plugin(path);
  if (const std::string difference = abi_difference(plugin_abi_mark(bytes, path.string()), abi_mark());
      !difference.empty()) {
    throw UsageError("plugin '{}' {}; {}", path.string(), difference, kRemedy);
  }
  const std::string file = fs::canonical(path).string();
  const std::string hash = Hasher().bytes(bytes.data(), bytes.size()).hex();
  refuse_changed_file(file, hash);
  for (const std::string& name : registry.names()) {
    if (registry.find(name).origin == file) return;
  }

  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw UsageError("plugin '{}' cannot be loaded: {}; {}", path.string(), ::dlerror(), kRemedy);
  void* symbol = ::dlsym(library, "segue_plugin_register");
  if (symbol == nullptr)
    throw UsageError("plugin '{}' has no segue_plugin_register; declare its algorithm with SEGUE_ALGORITHM",
                     path.string());
  const OriginScope origin(registry, file, hash);
  try {
    reinterpret_cast<void (*)(Registry&)>(symbol)(registry);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw UsageError("plugin '{}' cannot register its algorithm: {}", file, e.what());
  }
}

}  // namespace segue
