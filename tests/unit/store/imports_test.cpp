#include "framework/store/imports.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

Manifest plan(const std::vector<std::string>& labels = {"popular"}) {
  Manifest m;
  m.suite = "quick";
  m.spec = "{}";
  m.tasks = {{"t1", "full", "demo", "Demo", "abc", {"ndcg@10"}, 0, false, false, "", "{}"},
             {"t2", "given", "demo", "Demo", "abc", {"hr@10"}, 1, false, true, "", "{}"}};
  m.labels = labels;
  for (const std::string& l : labels) m.trials.push_back({"fit-" + l, l, l, "demo", "u1", 1, {"t1", "t2"}, "{}"});
  return m;
}

ImportEntry entry(const std::string& label, const std::string& task = "t1", const std::string& fold = "u1") {
  return {.label = label,
          .task = task,
          .fold = fold,
          .folds = {"u1", "u2"},
          .fit = "",
          .file = "run.trec",
          .content = "c0ffee",
          .date = "2026-01-31T12:00:00Z",
          .command = "segue import"};
}

TrialRecord lists(std::uint32_t item) {
  StoredView v;
  v.task = "t1";
  v.name = "full";
  v.queries = 1;
  v.k = 2;
  v.items = {item, kPadding};
  v.scores = {0.5f, 0};
  v.truth_offsets = {0, 1};
  v.truth_items = {item};
  v.truth_gains = {1};
  v.truth_rank = {1};
  v.lists_only = true;
  TrialRecord r;
  r.views = {v};
  return r;
}

struct Folder {
  test::TempFolder folder;
  ResultsFolder results{folder / "r"};
  Folder() { results.write_manifest(plan()); }
  std::map<std::string, std::string> content() const {
    std::map<std::string, std::string> out;
    for (const auto& e : fs::recursive_directory_iterator(results.root))
      if (e.is_regular_file()) out[fs::relative(e.path(), results.root).string()] = read_text_file(e.path());
    return out;
  }
};

TEST(Imports, BecomeRowsOfTheManifest) {
  const Folder f;
  const std::string before = f.results.hash();
  const std::string fit = store_import(f.results, entry("theirs"), lists(3), false);
  EXPECT_EQ(fit.size(), 16u);
  const Manifest m = f.results.read_manifest();
  EXPECT_THAT(m.labels, ElementsAre("popular", "theirs"));
  ASSERT_EQ(m.trials.size(), 3u);
  EXPECT_EQ(m.trials[1].fit, fit);
  EXPECT_EQ(m.trials[1].label, "theirs");
  EXPECT_EQ(m.trials[1].algorithm, "imported");
  EXPECT_EQ(m.trials[1].dataset, "demo");
  EXPECT_EQ(m.trials[1].fold, "u1");
  EXPECT_THAT(m.trials[1].tasks, ElementsAre("t1"));
  EXPECT_THAT(m.trials[1].params, HasSubstr("\"file\":\"run.trec\""));
  EXPECT_EQ(m.trials[2].fold, "u2");
  EXPECT_FALSE(fs::exists(f.results.trial_file(m.trials[2].fit))) << "a fold that nobody has imported";
  const TrialRecord record = read_trial(f.results.trial_file(fit));
  EXPECT_EQ(record.attributes.at("label"), "theirs");
  EXPECT_EQ(record.attributes.at("algorithm"), "imported");
  ASSERT_EQ(record.views.size(), 1u);
  EXPECT_TRUE(record.views[0].lists_only);
  EXPECT_TRUE(record.views[0].outcome().lists_only);
  EXPECT_TRUE(record.views[0].candidates.empty());
  EXPECT_NE(f.results.hash(), before) << "an import is a result";

  store_import(f.results, entry("theirs", "t1", "u2"), lists(4), false);
  store_import(f.results, entry("theirs", "t2"), lists(3), false);
  const Manifest more = f.results.read_manifest();
  EXPECT_THAT(more.labels, ElementsAre("popular", "theirs"));
  EXPECT_EQ(more.trials.size(), 5u);
  EXPECT_TRUE(fs::exists(f.results.trial_file(more.trials[2].fit)));
}

TEST(Imports, OutliveARunOfTheSuite) {
  const Folder f;
  store_import(f.results, entry("theirs"), lists(3), false);
  const std::string hash = f.results.hash();
  f.results.write_manifest(plan());
  EXPECT_EQ(f.results.hash(), hash);
  // The suite has come to use the label itself, and no longer the task; then it has it again.
  f.results.write_manifest(plan({"popular", "theirs"}));
  EXPECT_THAT(f.results.read_manifest().labels, ElementsAre("popular", "theirs", "theirs (imported)"));
  Manifest other = plan();
  other.tasks.erase(other.tasks.begin());
  f.results.write_manifest(other);
  EXPECT_THAT(f.results.read_manifest().labels, ElementsAre("popular"));
  f.results.write_manifest(plan());
  EXPECT_EQ(f.results.hash(), hash);
}

TEST(Imports, ATakenLabelIsAnErrorThatNamesItsOwner) {
  const Folder f;
  const std::string first = store_import(f.results, entry("theirs"), lists(3), false);
  const auto before = f.content();
  for (const bool force : {false, true})
    EXPECT_EQ(
        message_of<UsageError>([&] { store_import(f.results, entry("popular"), lists(3), force); }),
        "the label 'popular' is taken: it is a row of the suite 'quick' (algorithm popular); choose another --label");
  EXPECT_EQ(message_of<UsageError>([&] { store_import(f.results, entry("theirs"), lists(4), false); }),
            "the label 'theirs' is taken: it was imported from run.trec on 2026-01-31; --force replaces it, or choose "
            "another --label");
  EXPECT_EQ(f.content(), before);
  const std::string second = store_import(f.results, entry("theirs"), lists(4), true);
  EXPECT_NE(second, first);
  EXPECT_FALSE(fs::exists(f.results.trial_file(first)));
  EXPECT_TRUE(fs::exists(f.results.trial_file(second)));
  EXPECT_EQ(store_import(f.results, entry("theirs"), lists(4), true), second) << "the same again stays";
  EXPECT_TRUE(fs::exists(f.results.trial_file(second)));
  EXPECT_EQ(read_imports(f.results).size(), 1u);
  EXPECT_NE(store_import(f.results, entry("others"), lists(4), false), second) << "a fit has one label";
}

TEST(Imports, AreRemovedWithoutATrace) {
  const Folder f;
  const auto before = f.content();
  store_import(f.results, entry("theirs"), lists(3), false);
  store_import(f.results, entry("theirs", "t2"), lists(3), false);
  EXPECT_EQ(remove_imports(f.results, "theirs", "t2").size(), 1u);
  EXPECT_EQ(read_imports(f.results).size(), 1u);
  EXPECT_EQ(message_of<UsageError>([&] { remove_imports(f.results, "their"); }),
            "nothing is imported as 'their' in " + f.results.root.string() + "; did you mean 'theirs'? known: theirs");
  EXPECT_EQ(remove_imports(f.results, "theirs").size(), 1u);
  EXPECT_EQ(f.content(), before);
  EXPECT_EQ(message_of<UsageError>([&] { remove_imports(f.results, "popular"); }),
            "nothing is imported as 'popular' in " + f.results.root.string() + "; it holds no imports");
}

TEST(Imports, NothingIsLeftWhereTheyCannotBeNoted) {
  const Folder f;
  store_import(f.results, entry("theirs"), lists(3), false);
  const auto trials = [&] { return std::distance(fs::directory_iterator(f.results.root / "trials"), {}); };
  EXPECT_EQ(trials(), 1);
  // A folder in the way of the file's temporary name makes writing fail.
  fs::create_directories(f.results.root / ("imports.json.tmp-" + std::to_string(::getpid())));
  const auto before = f.content();
  EXPECT_THAT(message_of<EnvironmentError>([&] { store_import(f.results, entry("others"), lists(3), false); }),
              HasSubstr("cannot write"));
  EXPECT_EQ(f.content(), before);
}

TEST(Imports, ADamagedFileIsAnErrorThatNamesIt) {
  const Folder f;
  for (const char* text : {"", "[]", "{}", "{\"segue_imports\":1,\"imports\":[{}]}"}) {
    f.folder.write("r/imports.json", text);
    EXPECT_THAT(message_of<DataError>([&] { f.results.read_manifest(); }),
                testing::AllOf(testing::StartsWith((f.results.root / "imports.json").string() + " is damaged: "),
                               testing::EndsWith("; remove it and import again")));
  }
  f.folder.write("r/imports.json", "{\"segue_imports\":9,\"imports\":[]}");
  EXPECT_THAT(message_of<DataError>([&] { f.results.read_manifest(); }),
              HasSubstr("was written by another version of Segue"));
}

}  // namespace
}  // namespace segue
