// Files that are not plugins are refused before any of their code runs.
#include <cstdlib>
#include <cstring>

#include <elf.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "framework/base/rng.hpp"
#include "framework/model/abi.hpp"
#include "tests/plugin/support.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

template <class T>
std::string patched(std::string bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

TEST(AbiMark, IsWhatObjcopyFindsInThePlugin) {
  const TempFolder folder;
  const std::string command = fmt::format("objcopy -O binary --dump-section .segue_abi={} {} /dev/null",
                                          (folder / "mark").string(), plugin_file("plugin_good").string());
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const std::string dumped = read_bytes(folder / "mark");
  const std::string mark = plugin_abi_mark(read_bytes(plugin_file("plugin_good")), "good");
  EXPECT_EQ(dumped.substr(0, dumped.find('\0')), mark);
  EXPECT_EQ(mark, abi_mark());
}

TEST(AbiMark, SaysHowItWasBuilt) {
  const std::string mark = abi_mark();
  EXPECT_THAT(mark, testing::StartsWith(fmt::format("SEGUE-ABI {}\ncompiler: ", kAbiVersion)));
  EXPECT_THAT(mark, AllOf(HasSubstr("\nstandard library: "), HasSubstr("\nEigen: 3."), HasSubstr("\narch flags: "),
                          HasSubstr("\nsanitizers: ")));
  const std::string alignment = fmt::format("\nEigen alignment: {} bytes\n", EIGEN_MAX_ALIGN_BYTES);
  EXPECT_THAT(mark, HasSubstr(alignment));
}

TEST(AbiMark, DifferencesAreNamedInOneSentence) {
  const std::string here = "SEGUE-ABI 1\ncompiler: g++ 12\narch flags: x86-64 avx2\n";
  EXPECT_EQ(abi_difference(here, here), "");
  EXPECT_EQ(abi_difference("SEGUE-ABI 1\ncompiler: g++ 11\narch flags: x86-64 avx2\n", here),
            "was built with compiler g++ 11, this program with compiler g++ 12");
  EXPECT_EQ(abi_difference("SEGUE-ABI 2\ncompiler: g++ 12\narch flags: x86-64\n", here),
            "was built with framework ABI 2 and arch flags x86-64, this program with framework ABI 1 and arch flags "
            "x86-64 avx2");
  // A line that only one of the two knows.
  EXPECT_EQ(abi_difference(here + "colour: red\n", here),
            "was built with colour red, this program with colour unknown");
  EXPECT_EQ(abi_difference("SEGUE-ABI 1\ncompiler: g++ 12\n", here),
            "was built with arch flags unknown, this program with arch flags x86-64 avx2");
  EXPECT_EQ(abi_difference(here + "\n", here), "was built with a mark in another form than this program's");
}

TEST(PluginFile, MustExistAndBeAFile) {
  const TempFolder folder;
  EXPECT_EQ(load_refusal(folder / "none.so"),
            fmt::format("plugin '{}' does not exist; give the path of a .so file, such as build/my_algorithm.so",
                        (folder / "none.so").string()));
  EXPECT_THAT(load_refusal(folder.path()), HasSubstr("is a directory; give the path of the .so file"));
  const std::string pipe = (folder / "pipe.so").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(load_refusal(pipe), HasSubstr("is not a file"));
}

TEST(PluginFile, MustBeASharedLibraryForThisMachine) {
  const TempFolder folder;
  EXPECT_THAT(load_refusal(folder.write("empty.so", "")), HasSubstr("is not a shared library (it is not an ELF file)"));
  EXPECT_THAT(load_refusal(folder.write("text.so", "#!/bin/sh\n")),
              HasSubstr("is not a shared library (it is not an ELF file)"));
  const std::string good = read_bytes(plugin_file("plugin_good"));
  EXPECT_THAT(load_refusal(folder.write("object.so", patched<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_type), ET_REL))),
              HasSubstr("is an ELF file but not a shared library"));
  for (const std::string& bytes : {patched<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_machine), EM_RISCV),
                                   patched<char>(good, EI_CLASS, ELFCLASS32)}) {
    EXPECT_THAT(
        load_refusal(folder.write("foreign.so", bytes)),
        AllOf(HasSubstr("was built for another kind of machine; rebuild the plugin against this Segue: cmake")));
  }
}

TEST(PluginFile, MustBeAPlugin) {
  for (const std::filesystem::path& path : {plugin_file("ordinary_library"), std::filesystem::path("/proc/self/exe")}) {
    EXPECT_EQ(load_refusal(path),
              fmt::format("'{}' is a shared library but is not a Segue plugin: it has no section .segue_abi; build it "
                          "with segue_add_plugin() (scripts/new-plugin makes an example)",
                          path.string()));
  }
  // Stripped of all section headers: the mark cannot be found.
  std::string stripped = patched<Elf64_Off>(read_bytes(plugin_file("plugin_good")), offsetof(Elf64_Ehdr, e_shoff), 0);
  EXPECT_THAT(refusal([&] { plugin_abi_mark(stripped, "p.so"); }), HasSubstr("is not a Segue plugin"));
}

TEST(PluginFile, EveryTruncationIsRefused) {
  const std::string good = read_bytes(plugin_file("plugin_good"));
  ASSERT_GT(good.size(), 4096u);
  for (std::size_t size = 0; size < good.size(); size += size < 256 || size + 256 > good.size() ? 1 : 101) {
    const std::string text = refusal([&] { plugin_abi_mark(std::string_view(good).substr(0, size), "p.so"); });
    EXPECT_THAT(text, HasSubstr(size < 4 ? "it is not an ELF file" : "is truncated or damaged: ")) << size << " bytes";
  }
  const TempFolder folder;
  const std::filesystem::path half = folder.write("half.so", good.substr(0, good.size() / 2));
  EXPECT_THAT(load_refusal(half), AllOf(HasSubstr(fmt::format("plugin '{}' is truncated or damaged: ", half.string())),
                                        EndsWith(" beyond the end of the file; build or copy it again")));
}

TEST(PluginFile, OffsetsThatPointAnywhereAreRefused) {
  const std::string good = read_bytes(plugin_file("plugin_good"));
  Elf64_Ehdr header;
  std::memcpy(&header, good.data(), sizeof header);
  const std::size_t names = header.e_shoff + header.e_shstrndx * sizeof(Elf64_Shdr);
  for (const std::uint64_t far :
       {std::uint64_t{good.size()}, std::uint64_t{1} << 40, ~std::uint64_t{0}, ~std::uint64_t{0} - 63}) {
    for (const std::size_t at : {offsetof(Elf64_Ehdr, e_shoff), offsetof(Elf64_Ehdr, e_phoff),
                                 names + offsetof(Elf64_Shdr, sh_offset), names + offsetof(Elf64_Shdr, sh_size),
                                 header.e_phoff + sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_filesz)}) {
      EXPECT_THAT(refusal([&] { plugin_abi_mark(patched(good, at, far), "p.so"); }),
                  HasSubstr("is truncated or damaged: "))
          << at << " " << far;
    }
  }
  EXPECT_THAT(
      refusal([&] { plugin_abi_mark(patched<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_shstrndx), 0xFF00), "p.so"); }),
      HasSubstr("damaged"));
  EXPECT_THAT(refusal([&] { plugin_abi_mark(patched<Elf64_Word>(good, names, 0xFFFFFFFF), "p.so"); }),
              HasSubstr("has no name within the file"));
}

// Whatever stands in the headers, the answer is a mark or a UsageError; the sanitizers watch for reads out of bounds.
TEST(PluginFile, RandomDamageToTheHeadersIsSurvived) {
  const std::string good = read_bytes(plugin_file("plugin_good"));
  Elf64_Ehdr header;
  std::memcpy(&header, good.data(), sizeof header);
  Rng rng(1);
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 4; ++i) {
      const std::size_t headers = sizeof header + header.e_phnum * sizeof(Elf64_Phdr);
      const std::size_t at =
          rng.below(2) == 0 ? rng.below(headers) : header.e_shoff + rng.below(header.e_shnum * sizeof(Elf64_Shdr));
      bytes[at] = static_cast<char>(rng.below(256));
    }
    try {
      EXPECT_THAT(plugin_abi_mark(bytes, "p.so"), testing::StartsWith("SEGUE-ABI"));
    } catch (const UsageError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000u);
}

TEST(PluginFile, ADamagedMarkIsRefused) {
  std::string bytes = read_bytes(plugin_file("plugin_good"));
  const std::size_t at = bytes.find(fmt::format("SEGUE-ABI {}\n", kAbiVersion));
  ASSERT_NE(at, bytes.npos);
  EXPECT_THAT(refusal([&] { plugin_abi_mark(patched<char>(bytes, at, '\0'), "p.so"); }),
              HasSubstr("its ABI mark is not one"));
}

TEST(PluginFile, AnotherAbiIsRefusedBeforeItsCodeRuns) {
  const std::string path = plugin_file("plugin_stale").string();  // its static initialiser calls abort()
  const std::string text = load_refusal(path);
  EXPECT_EQ(text, fmt::format("plugin '{}' was built with framework ABI 999, this program with framework ABI {}; "
                              "rebuild the plugin against this Segue: "
                              "cmake --fresh -B build && cmake --build build",
                              path, kAbiVersion));
}

TEST(PluginFile, EveryDifferenceInTheMarkIsSeen) {
  const TempFolder folder;
  std::string bytes = read_bytes(plugin_file("plugin_good"));
  const std::string mark = abi_mark(),
                    compiler = mark.substr(mark.find("compiler: "), std::string("compiler: g++ 12").size());
  bytes[bytes.find(compiler) + compiler.size() - 1] = '0';
  EXPECT_THAT(load_refusal(folder.write("older.so", bytes)),
              AllOf(HasSubstr("' was built with compiler "), HasSubstr("0, this program with compiler "),
                    EndsWith("cmake --build build")));
}

}  // namespace
}  // namespace segue::test
