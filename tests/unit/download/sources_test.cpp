#include "framework/download/sources.hpp"

#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/download/fetch.hpp"

namespace segue {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(Sources, AreWellFormed) {
  std::set<std::string> names, folders, archives;
  for (const Source& s : sources()) {
    EXPECT_TRUE(names.insert(s.name).second) << s.name;
    EXPECT_TRUE(folders.insert(s.folder).second) << s.name;
    EXPECT_TRUE(archives.insert(s.archive()).second) << s.name;
    EXPECT_THAT(s.url, ::testing::StartsWith("https://files.grouplens.org/datasets/"));
    EXPECT_THAT(s.archive(), ::testing::EndsWith(".zip"));
    EXPECT_THAT(s.md5, AnyOf("", MatchesRegex("[0-9a-f]{32}"))) << s.name;
    EXPECT_THAT(s.sha256, AnyOf("", MatchesRegex("[0-9a-f]{64}"))) << s.name;
    EXPECT_FALSE(s.licence.empty()) << s.name;
    EXPECT_FALSE(s.required_files.empty()) << s.name;
  }
  EXPECT_THAT(names, ::testing::ElementsAre("hetrec-lastfm-2k", "movielens-100k", "movielens-10m", "movielens-1m",
                                            "movielens-20m", "movielens-25m", "movielens-latest-small"));
}

TEST(Sources, AreFoundByNameAndFolder) {
  EXPECT_EQ(find_source("movielens-100k").folder, "ml-100k");
  EXPECT_EQ(find_source("ml-1m").name, "movielens-1m");
  EXPECT_EQ(find_source("hetrec-lastfm-2k").archive(), "hetrec2011-lastfm-2k.zip");
  try {
    find_source("movielens-100");
    FAIL() << "no error";
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(), HasSubstr("unknown data set to fetch 'movielens-100'; did you mean 'movielens-10"));
    EXPECT_THAT(e.what(), HasSubstr("known: movielens-100k, "));
  }
}

TEST(Sources, ArchiveIsTheLastComponentOfTheUrl) {
  Source s;
  s.url = "http://host/a/b.tar.gz?version=1/2#x/y";
  EXPECT_EQ(s.archive(), "b.tar.gz");
}

TEST(DefaultDataRoot, FollowsTheBaseDirectorySpecification) {
  const char* const home = std::getenv("HOME");
  const std::string old_home = home ? home : "";
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const std::string old_cache = cache ? cache : "";
  ::setenv("HOME", "/home/someone", 1);
  ::setenv("XDG_CACHE_HOME", "/var/cache/mine", 1);
  EXPECT_EQ(default_data_root(), "/var/cache/mine/segue/data");
  ::setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
  EXPECT_EQ(default_data_root(), "/home/someone/.cache/segue/data");
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(default_data_root(), "/home/someone/.cache/segue/data");
  ::unsetenv("HOME");
  EXPECT_THROW(default_data_root(), EnvironmentError);
  if (home) ::setenv("HOME", old_home.c_str(), 1);
  if (cache) ::setenv("XDG_CACHE_HOME", old_cache.c_str(), 1);
}

// The folders that people unpacked by hand from these archives are recognised.
TEST(Sources, RecogniseTheRealDataSets) {
  namespace fs = std::filesystem;
  const char* variable = std::getenv("SEGUE_DATA_DIR");
  const fs::path source_root = fs::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
  const fs::path root = variable ? fs::path(variable) : source_root.parent_path() / "shared" / "data";
  int seen = 0;
  for (const Source& source : sources()) {
    if (!fs::exists(root / source.folder)) continue;
    ++seen;
    FetchOptions options;
    options.root = root;
    options.offline = true;
    EXPECT_TRUE(fetch(source, options).already_there) << source.name;
  }
  if (seen == 0) GTEST_SKIP() << "no data sets in " << root << "; set SEGUE_DATA_DIR";
}

}  // namespace
}  // namespace segue
