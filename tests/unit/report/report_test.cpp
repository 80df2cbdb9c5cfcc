#include "framework/report/report.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/report/leaks.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

ReportPage report_of(const std::vector<ResultsFolder>& folders, std::vector<ReportFigure> figures = {}, const std::string& title = "") {
  const Executor exec;
  return build_report({folders, gather_evidence(folders), std::move(figures), title, {}}, exec);
}

// A results folder written by hand: one row that ran, one that failed, one that has not run.
class Folder {
 public:
  explicit Folder(const std::string& suite = "toy") : results{folder_.path()} {
    Manifest m;
    m.suite = suite;
    m.spec = R"({"description":"A toy"})";
    ManifestTask task;
    task.id = "t1";
    task.name = "full";
    task.dataset = "toy";
    task.dataset_title = "Toy data";
    task.dataset_fingerprint = "f00d";
    task.metrics = {"hr@2"};
    task.sampled = true;
    task.description =
        R"({"task":{"split":{"strategy":"leave_last_out"}},"view":{"candidates":"full","exclude":["train"]}})";
    m.tasks = {task};
    for (const char* label : {"good", "bad label", "waiting"}) {
      m.labels.emplace_back(label);
      m.trials.push_back({std::string("fit-") + label[0], label, "knn", "toy", "all", 7, {"t1"}, "{}"});
    }
    results.write_manifest(m);
    write_text_file(results.root / "suite.yaml", "name: toy\n");
    write_judge();
    write_one("fit-g");
    Journal(results.journal_file())
        .append({.time = "",
                 .event = "timeout",
                 .fit = "fit-b",
                 .label = "bad label",
                 .fold = "all",
                 .seed = 7,
                 .seconds = 2.5,
                 .error = "took <too> long"});
  }

  ReportPage page() const { return report_of({results}); }
  const ReportFact* fact(const std::string& name) const {
    for (const ReportFact& f : facts)
      if (f.name == name) return &f;
    return nullptr;
  }

  test::TempFolder folder_;
  ResultsFolder results;
  std::vector<ReportFact> facts;

 private:
  void write_judge() {
    StoredTask task;
    task.id = "t1";
    task.item_ids = {"i0", "i1", "i2", "i3", "i4", "i5", "i6"};
    task.titles = task.item_ids;
    task.user_ids = {"a", "b", "c"};
    for (int f = 0; f < 2; ++f) {
      StoredTaskFold fold;
      fold.name = fmt::format("u{}", f);
      fold.users = {"a", "b"};
      fold.leaks.truth_unreachable = 1;
      fold.leaks.cold_users = 1;
      fold.leaks.future_share = f == 0 ? 0.5 : 0.25;
      fold.leaks.tied_time_share = 0.125;
      fold.truth_removed = 3;
      fold.truth_offsets = {0, 3, 7};
      fold.truth_items = {0, 1, 2, 3, 4, 5, 6};
      fold.truth_gains.assign(7, 1.0f);
      fold.history_offsets = {0, 0, 0};
      fold.train_counts = {5, 4, 3, 2, 1, 0, 0};
      fold.train_users = 3;
      fold.warnings = {"few users"};
      task.folds.push_back(fold);
    }
    write_task(results.task_file("t1"), task);
    facts = leak_facts(gather_evidence({&results, 1}).at(0));
  }
  void write_one(const std::string& fit) const {
    TrialRecord r;
    r.attributes = {{"algorithm", "knn"},       {"build_git_commit", "0123abcd"},
                    {"build_git_dirty", "no"},  {"build_version", "9.9"},
                    {"cpu", "a CPU"},           {"created", "2026-02-03T04:05:06Z"},
                    {"algorithm_version", "4"}, {"algorithm_origin", "built in"}};
    StoredView v;
    v.task = "t1";
    v.queries = 1;
    v.k = 2;
    v.items = {0, 1};
    v.scores = {1, 0};
    v.truth_offsets = {0, 1};
    v.truth_items = {1};
    v.truth_gains = {1};
    v.truth_rank = {2};
    v.truth_above = {1};
    v.truth_tied = {0};
    v.candidates = {7};
    v.tie_at_cut = {0};
    v.catalogue = 7;
    r.views.push_back(v);
    write_trial(results.trial_file(fit), r, test::FakeRecommender(1, [](std::size_t, std::size_t) { return 0.f; }));
  }
};

std::string text_of(const Table& table, const std::string& name) {
  for (const auto& row : table.rows)
    if (row[0].text() == name) return row[1].text();
  return "";
}

TEST(LeakFacts, SayWhatTheSplitCosts) {
  const Folder f;
  ASSERT_NE(f.fact("Training from the future"), nullptr);
  EXPECT_EQ(f.fact("Training from the future")->value.text(), "37.5 %");
  EXPECT_EQ(f.fact("Training from the future")->emphasis, Emphasis::kBad);
  EXPECT_EQ(f.fact("Never seen in training")->value.text(), "2 (14.3 %)");  // of 14
  EXPECT_DOUBLE_EQ(f.fact("Never seen in training")->share, 2.0 / 14);
  EXPECT_EQ(f.fact("Cold users")->value.text(), "2 (50.0 %)");
  EXPECT_EQ(f.fact("Already heard")->value.text(), "6 (30.0 %)");  // of the 20 that were held out
  EXPECT_EQ(f.fact("Tied times")->value.text(), "12.5 %");
  EXPECT_EQ(f.fact("Queries")->value.text(), "4");
  EXPECT_EQ(f.fact("Untagged truth"), nullptr);
  std::filesystem::remove(f.results.task_file("t1"));
  EXPECT_TRUE(leak_facts(gather_evidence({&f.results, 1}).at(0)).empty());
}

TEST(Report, HoldsWhatTheFolderHolds) {
  const Folder f;
  const ReportPage page = f.page();
  EXPECT_EQ(page.title, "toy");
  EXPECT_EQ(page.description, "A toy");
  EXPECT_THAT(page.summary,
              ElementsAre(Pair("Data", "Toy data"), Pair("Trials", "1 of 3, 1 failed"), Pair("Trained", "2026-02-03"),
                          Pair("Segue", "9.9"), Pair("Processor", "a CPU")));
  ASSERT_EQ(page.boards.size(), 1u);
  const ReportBoard& board = page.boards[0];
  EXPECT_EQ(board.kind, "Ranking of sampled candidates on Toy data");
  EXPECT_EQ(board.table.rows.size(), 2u);  // what has not run is counted, not listed
  EXPECT_THAT(board.notes, testing::Contains(HasSubstr("~ ranked among sampled candidates only")));
  EXPECT_EQ(board.notes.back(), "1 more row has not run yet");
  EXPECT_THAT(board.warnings, ElementsAre("few users"));  // of both folds, once
  EXPECT_EQ(text_of(board.settings, "split.strategy"), "leave_last_out");
  EXPECT_EQ(text_of(board.settings, "view.exclude"), "[\"train\"]");
  ASSERT_FALSE(page.cards.empty());
  EXPECT_EQ(page.cards[0].name, "hr@2");
  EXPECT_EQ(page.cards[0].title, "Hit rate");
  EXPECT_EQ(page.cards[0].facts[0].first, "Formula");
}

TEST(Report, SaysWhatTunersChose) {
  const Folder f;
  EXPECT_TRUE(f.page().tuning.empty());
  EXPECT_THAT(render_html(f.page()), Not(HasSubstr("id=\"tuning\"")));
  Manifest m = f.results.read_manifest();
  m.tuning = {{"a (tuned)",
               "toy",
               "all",
               "tpe",
               "hr@2",
               "reg log [0.1, 1]",
               1,
               4,
               "t2",
               {{"t1", R"({"reg":0.5})"}, {"t2", R"({"reg":0.25})"}, {"t3", R"({"reg":0.75})"}}}};
  f.results.write_manifest(m);
  for (const auto& [fit, value] : {std::pair{"t1", 0.1}, {"t2", 0.4}, {"t3", -1.0}}) {
    TrialRecord record;
    record.attributes = {{"status", value < 0 ? "failed" : "ok"}, {"error", ""}};
    if (value >= 0) record.validation["hr@2.v1"] = value;
    record.timing.fit_seconds = 2;
    write_trial(f.results.trial_file(fit), record);
  }
  const ReportPage page = f.page();
  ASSERT_EQ(page.tuning.size(), 1u);
  EXPECT_EQ(render(page.tuning[0].second, TableFormat::kMarkdown),
            "| label | data set | fold | strategy | trials | failed | metric | validation | chosen settings | space | fit s |\n"
            "|---|---|---|---|---:|---:|---|---:|---|---|---:|\n"
            "| a (tuned) | toy | all | tpe | 3/4 | 1 | hr@2 | 0.4000 | reg=0.25 | reg log [0.1, 1] | 6.0 |\n");
  EXPECT_THAT(render_html(page), HasSubstr("<h2 id=\"tuning\">Tuning</h2>"));
}

TEST(Report, NamesFailuresAndHowToTryAgain) {
  const Folder f;
  const ReportPage page = f.page();
  ASSERT_EQ(page.failures.size(), 1u);
  EXPECT_EQ(page.failures[0].label, "bad label");
  EXPECT_EQ(page.failures[0].seed, "7");
  EXPECT_EQ(page.failures[0].error, "took <too> long");
  EXPECT_THAT(page.failures[0].when, HasSubstr("timeout after 2.5 s"));
  EXPECT_EQ(page.failures[0].again, "segue run toy.yaml --only 'bad label' -o results/toy");
}

TEST(Report, SaysWhereItComesFromAndHowToRepeatIt) {
  const Folder f;
  const ReportPage page = f.page();
  ASSERT_EQ(page.reproduce.size(), 1u);
  EXPECT_THAT(page.reproduce[0].text, HasSubstr("git checkout 0123abcd\ncmake"));
  EXPECT_THAT(page.reproduce[0].text, HasSubstr("segue run toy.yaml -o results/toy\n"));
  EXPECT_THAT(page.reproduce[0].text, HasSubstr("# here: " + f.results.hash()));
  ASSERT_EQ(page.suites.size(), 1u);
  EXPECT_EQ(page.suites[0].text, "name: toy\n");
  ASSERT_EQ(page.provenance.size(), 2u);
  EXPECT_EQ(text_of(page.provenance[0].second, "segue"), "9.9");
  EXPECT_EQ(text_of(page.provenance[0].second, "git commit"), "0123abcd");
  ASSERT_EQ(page.provenance[1].second.rows.size(), 1u);
  ASSERT_EQ(page.datasets[0].second.rows.size(), 2u);
  EXPECT_EQ(page.datasets[0].second.rows[0][5].text(), "15");  // 5 + 4 + 3 + 2 + 1 training pairs
}

TEST(Report, TellsSeveralFoldersApart) {
  const Folder a("one"), b("two");
  const ReportPage page = report_of({a.results, b.results}, {report_figure("metric_bars-full", "T", "D", "<svg/>")});
  EXPECT_EQ(page.title, "one, two");
  ASSERT_EQ(page.boards.size(), 1u) << "the same task is one table";
  EXPECT_EQ(page.reproduce.size(), 2u);
  ASSERT_EQ(page.figures.size(), 1u);
  EXPECT_EQ(page.figures[0].kind, "Metric bars");
  EXPECT_EQ(report_of({a.results}, {}, "Table 2").title, "Table 2");
}

TEST(Report, TheSameResultsGiveTheSamePage) {
  const Folder f;
  EXPECT_EQ(render_html(f.page()), render_html(f.page()));
  EXPECT_THAT(render_html(f.page()), Not(HasSubstr(f.results.root.string())));  // wherever they lie
}

TEST(Report, NeedsResults) {
  const test::TempFolder empty;
  EXPECT_THAT(message_of<UsageError>([&] {
                report_of({{empty.path()}});
              }),
              HasSubstr("is not a results folder"));
  EXPECT_THAT(message_of<UsageError>([] { report_of({}); }), HasSubstr("needs a results folder"));
}

}  // namespace
}  // namespace segue
