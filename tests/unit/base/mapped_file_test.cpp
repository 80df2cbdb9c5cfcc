// Mapped files hold what was written, and outlive the object that mapped them.
#include "framework/base/mapped_file.hpp"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

TEST(MappedFile, HoldsWhatWasWritten) {
  const test::TempFolder folder;
  const std::vector<std::uint32_t> numbers = {7, 1, 0xffffffff, 42};
  const std::string bytes(reinterpret_cast<const char*>(numbers.data()), 16);
  const std::filesystem::path file = folder.write("numbers", bytes);
  Array<std::uint32_t> kept;
  {
    const MappedFile mapped(file);
    ASSERT_EQ(mapped.bytes().size(), 16u);
    EXPECT_EQ(std::memcmp(mapped.bytes().data(), bytes.data(), 16), 0);
    kept = mapped.array<std::uint32_t>(4, 3);
    EXPECT_EQ(mapped.array<std::uint32_t>(16, 0).size(), 0u);
    EXPECT_THROW(mapped.array<std::uint32_t>(4, 4), LogicError);
    EXPECT_THROW(mapped.array<std::uint32_t>(2, 1), LogicError);
    EXPECT_THROW(mapped.array<std::uint64_t>(8, SIZE_MAX / 4), LogicError);
  }
  std::filesystem::remove(file);
  EXPECT_EQ(std::vector(kept.begin(), kept.end()), std::vector<std::uint32_t>({1, 0xffffffff, 42}));
}

TEST(MappedFile, AnEmptyFileHasNoBytesAndOthersAreRefused) {
  const test::TempFolder folder;
  EXPECT_TRUE(MappedFile(folder.write("empty", "")).bytes().empty());
  EXPECT_THROW(MappedFile(folder / "none"), EnvironmentError);
  EXPECT_THROW(MappedFile(folder.path()), EnvironmentError);
}

}  // namespace
}  // namespace segue
