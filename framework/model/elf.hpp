// Reads one section of an ELF shared library without loading it. Every offset is checked against the file's end, so a
// damaged file is refused and never read beyond its bounds.
#pragma once

#include <string>
#include <string_view>

namespace segue {

enum class ElfProblem { kNone, kNotElf, kNotShared, kOtherMachine, kDamaged, kNoSection };

struct ElfSection {
  ElfProblem problem = ElfProblem::kNone;
  std::string detail{};        // for kDamaged: what points beyond the end
  std::string_view content{};  // into `bytes`; empty unless problem is kNone
};

// `bytes`: the whole file. The machine is that of this program.
ElfSection elf_section(std::string_view bytes, std::string_view name);

}  // namespace segue
