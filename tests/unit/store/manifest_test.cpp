#include "framework/store/manifest.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

Manifest manifest() {
  Manifest m;
  m.suite = "quick";
  m.spec = R"({"version":1,"real":0.1})";
  m.folder = "/somewhere";
  m.tasks = {{"t1", "full", "demo", "Demo", "abc", {"ndcg@10", "hr@5"}, 0, false, false, "", "{}"},
             {"t2r", "ratings", "demo", "Demo", "abc", {"rmse"}, 1, true, true, "", "{}"}};
  m.tasks[0].published = {{"b", "hr@5", 0.1, 0.05, "A \"paper\", table 1", "mean of 8"}};
  m.trials = {
      {"f1", "a \"label\"", "popular", "demo", "u1", 18446744073709551615ull, {"t1", "t2r"}, R"({"reg":0.1,"d":4})"}};
  m.plots = {"metric_bars"};
  m.labels = {"a \"label\"", "b"};
  return m;
}

TEST(Manifest, GivesBackWhatWasWritten) {
  const test::TempFolder folder;
  const ResultsFolder results{folder / "deep/results"};
  results.write_manifest(manifest());
  const Manifest in = manifest(), out = results.read_manifest();
  EXPECT_EQ(out.suite, in.suite);
  EXPECT_EQ(out.spec, in.spec);
  EXPECT_EQ(out.folder, in.folder);
  EXPECT_EQ(out.plots, in.plots);
  EXPECT_EQ(out.labels, in.labels);
  ASSERT_EQ(out.tasks.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(out.tasks[i].id, in.tasks[i].id);
    EXPECT_EQ(out.tasks[i].name, in.tasks[i].name);
    EXPECT_EQ(out.tasks[i].dataset, in.tasks[i].dataset);
    EXPECT_EQ(out.tasks[i].dataset_title, in.tasks[i].dataset_title);
    EXPECT_EQ(out.tasks[i].dataset_fingerprint, in.tasks[i].dataset_fingerprint);
    EXPECT_EQ(out.tasks[i].metrics, in.tasks[i].metrics);
    EXPECT_EQ(out.tasks[i].view, in.tasks[i].view);
    EXPECT_EQ(out.tasks[i].ratings, in.tasks[i].ratings);
    EXPECT_EQ(out.tasks[i].sampled, in.tasks[i].sampled);
    EXPECT_EQ(out.tasks[i].description, in.tasks[i].description);
    EXPECT_EQ(out.tasks[i].published, in.tasks[i].published);
  }
  ASSERT_EQ(out.trials.size(), 1u);
  EXPECT_EQ(out.trials[0].fit, "f1");
  EXPECT_EQ(out.trials[0].label, "a \"label\"");
  EXPECT_EQ(out.trials[0].algorithm, "popular");
  EXPECT_EQ(out.trials[0].dataset, "demo");
  EXPECT_EQ(out.trials[0].fold, "u1");
  EXPECT_EQ(out.trials[0].seed, 18446744073709551615ull);
  EXPECT_THAT(out.trials[0].tasks, ElementsAre("t1", "t2r"));
  EXPECT_EQ(out.trials[0].params, R"({"reg":0.1,"d":4})");
  Manifest empty;
  empty.spec = "{}";
  results.write_manifest(empty);
  EXPECT_TRUE(results.read_manifest().tasks.empty());
}

TEST(Manifest, KnowsWhatWasTuned) {
  const test::TempFolder folder;
  const ResultsFolder results{folder.path()};
  Manifest m;
  m.suite = "s";
  m.spec = "{}";
  ManifestTrial trial{"f", "a (tuned)", "a", "d", "all", 1, {}, "{}"};
  trial.tuned = 40;
  trial.refit = true;
  m.trials = {trial, {"g", "a", "a", "d", "all", 1, {}, "{}"}};
  m.tuning = {{"a (tuned)",
               "d",
               "all",
               "tpe",
               "hr@1",
               "reg log [1, 2]",
               3,
               40,
               "t2",
               {{"t1", R"({"reg":1.5})", 0}, {"t2", R"({"reg":2})", 9}}}};
  results.write_manifest(m);
  const Manifest back = results.read_manifest();
  EXPECT_EQ(back.trials[0].tuned, 40u);
  EXPECT_TRUE(back.trials[0].refit);
  EXPECT_EQ(back.trials[1].tuned, 0u);
  EXPECT_FALSE(back.trials[1].refit);
  ASSERT_EQ(back.tuning.size(), 1u);
  const ManifestTuning& t = back.tuning[0];
  EXPECT_THAT((std::vector<std::string>{t.label, t.dataset, t.fold, t.strategy, t.metric, t.space, t.winner}),
              ElementsAre("a (tuned)", "d", "all", "tpe", "hr@1", "reg log [1, 2]", "t2"));
  EXPECT_EQ(t.seed, 3u);
  EXPECT_EQ(t.planned, 40u);
  ASSERT_EQ(t.trials.size(), 2u);
  EXPECT_EQ(t.trials[0].fit, "t1");
  EXPECT_EQ(t.trials[0].settings, R"({"reg":1.5})");
  EXPECT_EQ(t.trials[0].epochs, 0);
  EXPECT_EQ(t.trials[1].epochs, 9);
}

TEST(Manifest, ADamagedOneIsAnErrorThatNamesIt) {
  const test::TempFolder folder;
  const ResultsFolder results{folder.path()};
  EXPECT_EQ(message_of<UsageError>([&] { results.read_manifest(); }),
            folder.path().string() +
                " is not a results folder: it has no plan.json; run a suite first, e.g. segue run "
                "experiments/quickstart.yaml");
  results.write_manifest(manifest());
  const std::string good = read_text_file(results.manifest_file());
  const std::string head = results.manifest_file().string() + " is damaged: ";
  for (const std::string& text :
       {good.substr(0, good.size() / 2), std::string("[]"), std::string("{}"), std::string(), std::string("7")}) {
    folder.write("plan.json", text);
    EXPECT_THAT(message_of<DataError>([&] { results.read_manifest(); }), StartsWith(head)) << text;
  }
  folder.write("plan.json", R"({"segue_plan": 99})");
  EXPECT_EQ(message_of<DataError>([&] { results.read_manifest(); }),
            results.manifest_file().string() + " was written by another version of Segue; run the suite again");
  std::string wrong = good;
  wrong.replace(wrong.find("\"quick\""), 7, "[1,2,3]");
  folder.write("plan.json", wrong);
  EXPECT_THAT(message_of<DataError>([&] { results.read_manifest(); }), StartsWith(head));
}

TEST(TextFile, IsReplacedWholeOrNotAtAll) {
  const test::TempFolder folder;
  write_text_file(folder / "a/b.txt", "one");
  write_text_file(folder / "a/b.txt", "two\n");
  EXPECT_EQ(read_text_file(folder / "a/b.txt"), "two\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "a"), {}), 1);
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_text_file(folder / "none"); }), HasSubstr("none: No such file"));
}

JournalEntry entry(const std::string& fit, const std::string& event, double seconds = 0,
                   const std::string& error = "") {
  return {.time = "",
          .event = event,
          .fit = fit,
          .label = "l",
          .fold = "all",
          .seed = 3,
          .seconds = seconds,
          .error = error};
}

TEST(Journal, KeepsTheLastEntryOfEachFit) {
  const test::TempFolder folder;
  const Journal journal(folder / "deep/journal.jsonl");
  EXPECT_TRUE(journal.last_by_fit().empty());
  journal.append(entry("a", "started"));
  journal.append(entry("b", "started"));
  journal.append(entry("a", "failed", 1.25, "two\nlines \xff"));
  const auto last = journal.last_by_fit();
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last.at("b").event, "started");
  const JournalEntry& a = last.at("a");
  EXPECT_EQ(a.event, "failed");
  EXPECT_EQ(a.seconds, 1.25);
  EXPECT_EQ(a.error, "two\nlines \xef\xbf\xbd");
  EXPECT_EQ(a.label, "l");
  EXPECT_EQ(a.fold, "all");
  EXPECT_EQ(a.seed, 3u);
  EXPECT_THAT(a.time, MatchesRegex("....-..-..T..:..:..Z"));
  const std::string text = read_text_file(folder / "deep/journal.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Journal, ALineCutShortCostsThatLineAlone) {
  const test::TempFolder folder;
  const Journal journal(folder / "journal.jsonl");
  journal.append(entry("a", "finished"));
  journal.append(entry("b", "finished"));
  const auto size = std::filesystem::file_size(folder / "journal.jsonl");
  for (const std::uintmax_t lost : {1u, 2u, 40u}) {
    std::filesystem::resize_file(folder / "journal.jsonl", size - lost);
    EXPECT_EQ(journal.last_by_fit().contains("b"), lost == 1) << "the end of a line is no part of it";
    journal.append(entry("c", "started"));
    const auto last = journal.last_by_fit();
    EXPECT_EQ(last.at("c").event, "started") << lost;
    EXPECT_EQ(last.at("a").event, "finished");
    EXPECT_EQ(last.contains("b"), lost == 1);
  }
}

TEST(Journal, LinesThatAreNoEntriesAreSkipped) {
  const test::TempFolder folder;
  folder.write("journal.jsonl",
               "nonsense\n\n7\n[]\n{}\n{\"fit\": 7}\n{\"fit\": \"x\", \"seconds\": \"long\"}\n"
               "{\"fit\": \"a\", \"event\": \"finished\"}\n");
  const auto last = Journal(folder / "journal.jsonl").last_by_fit();
  EXPECT_EQ(last.size(), 1u);
  EXPECT_EQ(last.at("a").event, "finished");
}

TEST(ResultsFolder, PlacesOfFiles) {
  const ResultsFolder r{"r"};
  EXPECT_EQ(r.trial_file("f"), "r/trials/f.h5");
  EXPECT_EQ(r.task_file("t"), "r/tasks/t.h5");
}

}  // namespace
}  // namespace segue
