#include "framework/download/unpack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/download/checksum.hpp"
#include "tests/unit/download/archives.hpp"

namespace segue {
namespace {

using test::Entry;
using test::make_archive;
using test::TempFolder;
using ::testing::HasSubstr;

// What unpacking leaves in the folder "out", or the error.
struct Unpacked {
  TempFolder temp;
  std::string error;
  std::uint64_t progress = 0;

  explicit Unpacked(const std::string& archive) {
    test::write_file(temp.path() / "in", archive);
    try {
      unpack_archive(temp.path() / "in", temp.path() / "out", [&](std::uint64_t done) { progress = done; });
    } catch (const DataError& e) {
      error = e.what();
    }
  }
  std::string file(const std::string& name) const { return test::read_file(temp.path() / "out" / name); }
  std::set<std::string> listing() const {
    auto names = temp.listing();
    names.erase("in");
    return names;
  }
};

// RFC 1321 appendix A.5 and FIPS 180-2 appendix B.1 state the sums of "abc".
TEST(Checksum, MatchesTheStandards) {
  const TempFolder temp;
  test::write_file(temp.path() / "abc", "abc");
  const Checksums sums = file_checksums(temp.path() / "abc");
  EXPECT_EQ(sums.md5, "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(sums.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sums.bytes, 3u);
}

// The million letters a of FIPS 180-2 appendix B.3, so that more than one buffer is read.
TEST(Checksum, ReadsLongFilesInPieces) {
  const TempFolder temp;
  test::write_file(temp.path() / "a", std::string(1000000, 'a'));
  EXPECT_EQ(file_checksums(temp.path() / "a").sha256,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  test::write_file(temp.path() / "b", std::string(3 << 20, 'a'));
  std::uint64_t seen = 0;
  EXPECT_EQ(file_checksums(temp.path() / "b", [&](std::uint64_t n) { seen = n; }).bytes, 3u << 20);
  EXPECT_EQ(seen, 3u << 20);
}

TEST(Unpack, LeavesOutTheSingleTopFolder) {
  const std::string big(700000, 'x');
  for (const char* kind : {"zip", "tar.gz"}) {
    const Unpacked u(make_archive({{"ml/", ""}, {"ml/u.data", big}, {"ml/sub/", ""}, {"ml/sub/a", "1"}}, kind));
    EXPECT_EQ(u.error, "") << kind;
    EXPECT_THAT(u.listing(), ::testing::ElementsAre("out", "out/sub", "out/sub/a", "out/u.data"));
    EXPECT_EQ(u.file("u.data"), big);
    EXPECT_EQ(u.file("sub/a"), "1");
    EXPECT_EQ(u.progress, 700001u);
  }
}

TEST(Unpack, KeepsSeveralTopEntriesAndDropsClutter) {
  const Unpacked flat(make_archive({{"a.dat", "a"}, {"b/c.dat", "c"}}));
  EXPECT_THAT(flat.listing(), ::testing::ElementsAre("out", "out/a.dat", "out/b", "out/b/c.dat"));
  const Unpacked alone(make_archive({{"only.dat", "a"}}));
  EXPECT_THAT(alone.listing(), ::testing::ElementsAre("out", "out/only.dat"));
  const Unpacked mac(make_archive({{"ml/a", "a"}, {"ml/.DS_Store", "junk"}, {"__MACOSX/ml/._a", "junk"}}));
  EXPECT_THAT(mac.listing(), ::testing::ElementsAre("out", "out/a"));
}

TEST(Unpack, RefusesWhatLeavesTheFolderBeforeWritingAnything) {
  struct Case {
    Entry entry;
    const char* why;
  };
  const std::vector<Case> cases = {
      {{"../evil", "x"}, "climbs out"}, {{"ml/../../evil", "x"}, "climbs out"}, {{"ml/..", "x"}, "climbs out"},
      {{"/tmp/evil", "x"}, "absolute"}, {{"ml/link", "", "../.."}, "link"},     {{"ml/link", "", "u.data"}, "link"},
  };
  for (const char* kind : {"zip", "tar.gz"}) {
    for (const Case& c : cases) {
      const Unpacked u(make_archive({{"ml/u.data", "1"}, c.entry}, kind));
      EXPECT_THAT(u.error, HasSubstr(c.why)) << kind << " " << c.entry.name;
      EXPECT_THAT(u.error, HasSubstr("'" + c.entry.name + "'"));
      EXPECT_EQ(u.listing(), std::set<std::string>()) << "nothing may have been written";
    }
  }
  EXPECT_THAT(Unpacked(make_archive({{"u", "1"}, {"v", "", "", "/etc/passwd"}}, "tar.gz")).error, HasSubstr("link"));
}

TEST(Unpack, RefusesAnEntryThatComesTwice) {
  EXPECT_THAT(Unpacked(make_archive({{"ml/a", "1"}, {"ml/a", "2"}}, "tar.gz")).error, HasSubstr("'a' comes twice"));
  EXPECT_THAT(Unpacked(make_archive({{"ml/a", "1"}, {"ml/a/b", "2"}}, "tar.gz")).error, HasSubstr("'a/b' comes twice"));
}

TEST(Unpack, NoticesDamage) {
  const std::string good = make_archive({{"a", std::string(5000, 'a')}, {"b", std::string(5000, 'b')}});
  ASSERT_EQ(Unpacked(good).error, "");
  EXPECT_THAT(Unpacked(good.substr(0, 7000)).error, HasSubstr("archive")) << "end missing";
  EXPECT_THAT(Unpacked(good.substr(0, good.size() - 60)).error, HasSubstr("archive")) << "directory missing";
  std::string flipped = good;
  flipped[good.find("bbbb") + 100] = 'X';
  EXPECT_THAT(Unpacked(flipped).error, HasSubstr("damaged archive")) << "the CRC must be checked";
  EXPECT_THAT(Unpacked("<html>Please log in</html>").error, HasSubstr("archive"));
  EXPECT_THAT(Unpacked("").error, HasSubstr("not a complete zip or tar archive"));
  EXPECT_THAT(Unpacked(make_archive({{"./", ""}}, "tar.gz")).error, HasSubstr("the archive is empty"));
  const std::string tar = make_archive({{"a", std::string(50000, 'a')}}, "tar.gz");
  EXPECT_THAT(Unpacked(tar.substr(0, tar.size() / 2)).error, HasSubstr("archive"));
}

}  // namespace
}  // namespace segue
