#include "framework/model/elf.hpp"

#include <bit>
#include <cstring>
#include <optional>

#include <elf.h>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#else
#error "add this machine's ELF number"
#endif
constexpr unsigned kByteOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

bool inside(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

// Entry `index` of a table; the file need not align it.
template <class T>
std::optional<T> entry(std::string_view bytes, std::uint64_t table, std::uint64_t index) {
  if (table > bytes.size() || !inside(bytes, table + index * sizeof(T), sizeof(T))) return std::nullopt;
  T out;
  std::memcpy(&out, bytes.data() + table + index * sizeof(T), sizeof(T));
  return out;
}

ElfSection damaged(std::string what) { return {ElfProblem::kDamaged, std::move(what)}; }

}  // namespace

ElfSection elf_section(std::string_view bytes, std::string_view name) {
  if (!bytes.starts_with(ELFMAG)) return {ElfProblem::kNotElf};
  if (bytes.size() < EI_NIDENT) return damaged("it ends within the ELF header");
  if (bytes[EI_CLASS] != ELFCLASS64 || static_cast<unsigned char>(bytes[EI_DATA]) != kByteOrder)
    return {ElfProblem::kOtherMachine};
  const auto header = entry<Elf64_Ehdr>(bytes, 0, 0);
  if (!header) return damaged("it ends within the ELF header");
  if (header->e_machine != kMachine) return {ElfProblem::kOtherMachine};
  if (header->e_type != ET_DYN) return {ElfProblem::kNotShared};

  // What dlopen() will map: beyond the end of the file it would mean a bus error.
  if (header->e_phnum == 0 || header->e_phentsize != sizeof(Elf64_Phdr)) return damaged("it has no program headers");
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto segment = entry<Elf64_Phdr>(bytes, header->e_phoff, i);
    if (!segment) return damaged("its program headers lie beyond the end of the file");
    if (!inside(bytes, segment->p_offset, segment->p_filesz))
      return damaged(fmt::format("segment {} lies beyond the end of the file", i));
  }

  if (header->e_shoff == 0 || header->e_shnum == 0) return {ElfProblem::kNoSection};  // stripped of its section headers
  if (header->e_shentsize != sizeof(Elf64_Shdr)) return damaged("its section headers have another size");
  const auto names = entry<Elf64_Shdr>(bytes, header->e_shoff, header->e_shstrndx);
  if (!names || header->e_shstrndx >= header->e_shnum ||
      !entry<Elf64_Shdr>(bytes, header->e_shoff, header->e_shnum - 1u)) {
    return damaged("its section headers lie beyond the end of the file");
  }
  if (names->sh_type == SHT_NOBITS || !inside(bytes, names->sh_offset, names->sh_size)) {
    return damaged("its section names lie beyond the end of the file");
  }
  const std::string_view strings = bytes.substr(names->sh_offset, names->sh_size);
  ElfSection found{ElfProblem::kNoSection};
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const auto section = entry<Elf64_Shdr>(bytes, header->e_shoff, i);
    const bool stored = section->sh_type != SHT_NOBITS && section->sh_type != SHT_NULL;
    if (stored && !inside(bytes, section->sh_offset, section->sh_size)) {
      return damaged(fmt::format("section {} lies beyond the end of the file", i));
    }
    if (section->sh_name >= strings.size()) return damaged(fmt::format("section {} has no name within the file", i));
    const std::string_view rest = strings.substr(section->sh_name);
    if (stored && found.problem != ElfProblem::kNone && rest.substr(0, rest.find('\0')) == name) {
      found = {ElfProblem::kNone, {}, bytes.substr(section->sh_offset, section->sh_size)};
    }
  }
  return found;
}

}  // namespace segue
