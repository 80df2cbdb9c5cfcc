#include "framework/store/export_lists.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/store/import_lists.hpp"
#include "framework/store/manifest.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/store/exchange_fixture.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kNone = -std::numeric_limits<float>::infinity();

struct Export {
  test::TempFolder folder;
  StoredTask task;
  StoredView view;
  Export() {
    task.id = "t1";
    task.dataset = "toy";
    task.item_ids = {"p", "a song", "100%", "x,\"y\""};
    task.user_ids = {"u 1", "v"};
    StoredTaskFold fold;
    fold.name = "all";
    fold.users = {"u 1", "v"};
    fold.truth_offsets = {0, 2, 3};
    fold.truth_items = {1, 3, 0};
    fold.truth_gains = {1, 1, 1};
    fold.history_offsets = {0, 0, 0};
    fold.train_counts = {1, 1, 1, 1};
    task.folds = {fold};
    view.task = "t1";
    view.queries = 2;
    view.k = 3;
    view.items = {3, 1, 2, 0, kPadding, kPadding};
    view.scores = {2, 2, 1.5f, -0.25f, kNone, kNone};
    view.truth_offsets = fold.truth_offsets;
    view.truth_items = fold.truth_items;
    view.truth_gains = fold.truth_gains;
    view.truth_rank = {2, 1, 1};
  }
  std::string lists(ExportForm form) const {
    export_lists(folder / "out/f", {task, task.folds[0], view, "my model"}, form);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "out"), {}), 1) << "no temporary file stays";
    return read_text_file(folder / "out/f");
  }
  std::string qrels(ExportForm form, double scale = 1) const {
    EXPECT_EQ(export_qrels(folder / "q", task, task.folds[0], form), scale);
    return read_text_file(folder / "q");
  }
};

TEST(ExportLists, InEveryForm) {
  const Export x;
  EXPECT_EQ(x.lists(ExportForm::kTrec),
            "u%201 Q0 x,\"y\" 1 2 my%20model\nu%201 Q0 a%20song 2 1.9999999 my%20model\nu%201 Q0 100%25 3 1.5 "
            "my%20model\nv Q0 p 1 -0.25 my%20model\n");
  EXPECT_EQ(x.lists(ExportForm::kCsv),
            "user,item,rank,score\nu 1,\"x,\"\"y\"\"\",1,2\nu 1,a song,2,2\nu 1,100%,3,1.5\nv,p,1,-0.25\n");
  EXPECT_EQ(
      x.lists(ExportForm::kTsv),
      "user\titem\trank\tscore\nu 1\t\"x,\"\"y\"\"\"\t1\t2\nu 1\ta song\t2\t2\nu 1\t100%\t3\t1.5\nv\tp\t1\t-0.25\n");
  std::istringstream lines(x.lists(ExportForm::kJsonl));
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_EQ(
      nlohmann::json::parse(first),
      nlohmann::json::parse(
          R"({"user":"u 1","items":["x,\"y\"","a song","100%"],"scores":[2,2,1.5],"truth":["a song","x,\"y\""]})"));
  EXPECT_EQ(nlohmann::json::parse(second)["scores"], nlohmann::json::parse("[-0.25]"));
  EXPECT_EQ(message_of<UsageError>([&] { x.lists(ExportForm::kNpy); }),
            "lists in one file are not written as 'npy'; known: trec, csv, tsv, jsonl");
}

TEST(ExportLists, ScoresOfRunsStrictlyDecreaseAsFloats) {
  Export x;
  const float low = std::numeric_limits<float>::lowest();
  Rng rng(2);
  for (int round = 0; round < 50; ++round) {
    x.view.k = 40;
    x.view.items.assign(80, kPadding);
    x.view.scores.assign(80, kNone);
    x.task.item_ids.clear();
    std::vector<float> scores;
    for (std::uint32_t i = 0; i < 40; ++i) {
      x.task.item_ids.push_back("i" + std::to_string(i));
      x.view.items[i] = i;
      scores.push_back(round == 0   ? low
                       : round == 1 ? 1e-45f
                       : rng.below(3) == 0
                           ? 0.5f
                           : static_cast<float>(rng.below(4)) * std::ldexp(1.0f, -static_cast<int>(rng.below(30))));
    }
    std::sort(scores.rbegin(), scores.rend());
    std::copy(scores.begin(), scores.end(), x.view.scores.begin());
    std::istringstream lines(x.lists(ExportForm::kTrec));
    float last = std::numeric_limits<float>::infinity();
    std::uint32_t n = 0;
    for (std::string user, q0, item, rank, score, tag; lines >> user >> q0 >> item >> rank >> score >> tag; ++n) {
      const float value = static_cast<float>(std::atof(score.c_str()));
      EXPECT_LT(value, last) << "round " << round << " place " << rank;
      EXPECT_EQ(item, "i" + std::to_string(n));
      EXPECT_TRUE(round < 2 || std::abs(value - scores[n]) < 1e-4f);
      last = value;
    }
    EXPECT_EQ(n, 40u);
  }
}

// What is exported comes back with every place where it was.
TEST(ExportLists, RoundTripsThroughImport) {
  TaskSpec spec;
  spec.split.test = 3;
  const test::Judged j = test::judge(test::random_log(5, 25, 60, 600), spec, {});
  Export x;
  x.task = j.task;
  for (std::string& id : x.task.item_ids) id += " % \"ü\"";
  x.view.queries = j.stored().users.size();
  x.view.k = 8;
  x.view.items.assign(x.view.queries * 8, kPadding);
  x.view.scores.assign(x.view.queries * 8, kNone);
  Rng rng(4);
  for (std::size_t q = 0; q < x.view.queries; ++q) {
    const std::size_t n = q == 0 ? 8 : rng.below(9);
    for (std::size_t i = 0; i < n; ++i) {
      x.view.items[q * 8 + i] = static_cast<std::uint32_t>(55 - 7 * i);
      x.view.scores[q * 8 + i] = 1 / static_cast<float>(1 + i);
    }
  }
  x.view.truth_offsets = j.stored().truth_offsets;
  x.view.truth_items = j.stored().truth_items;
  x.view.truth_gains = j.stored().truth_gains;
  x.task.description =
      R"({"task":{"split":{}},"view":{"candidates":"full","catalogue":"all","exclude":[],"repeats":"allow"}})";
  for (const ExportForm form : {ExportForm::kTrec, ExportForm::kCsv, ExportForm::kTsv}) {
    x.lists(form);
    const ImportedLists in = import_lists(x.folder / "out/f", x.task, x.task.folds[0], {});
    EXPECT_EQ(in.view.items, x.view.items);
    EXPECT_EQ(in.view.scores, x.view.scores);
    EXPECT_EQ(in.counts.ranks_contradict, 0u);
  }
}

TEST(ExportQrels, HoldWholeGainsAndSayWhereTheyScaled) {
  Export x;
  EXPECT_EQ(x.qrels(ExportForm::kTrec), "u%201 0 a%20song 1\nu%201 0 x,\"y\" 1\nv 0 p 1\n");
  EXPECT_EQ(x.qrels(ExportForm::kCsv), "user,item,gain\nu 1,a song,1\nu 1,\"x,\"\"y\"\"\",1\nv,p,1\n");
  x.task.folds[0].truth_gains = {5, 3, 1};
  EXPECT_THAT(x.qrels(ExportForm::kTrec), HasSubstr("a%20song 5\n"));
  x.task.folds[0].truth_gains = {1.25f, 2, 0.00001f};
  EXPECT_EQ(x.qrels(ExportForm::kTrec, 10000), "u%201 0 a%20song 12500\nu%201 0 x,\"y\" 20000\nv 0 p 1\n");
  EXPECT_THAT(x.qrels(ExportForm::kCsv), HasSubstr("a song,1.25\n"));
  x.task.folds[0].truth_gains = {1.25f, 1000000, 1};
  EXPECT_THAT(x.qrels(ExportForm::kTrec, 10), HasSubstr(" 10000000\n"));
  EXPECT_THAT(message_of<UsageError>([&] { x.qrels(ExportForm::kJsonl); }),
              HasSubstr("qrels are not written as 'jsonl'; known: trec, csv, tsv"));
}

TEST(ExportLists, GainsStandInJsonWhereTheyDiffer) {
  Export x;
  x.view.truth_gains = {0.5f, 2, 1};
  const std::string text = x.lists(ExportForm::kJsonl);
  EXPECT_THAT(text, HasSubstr("\"gains\":[0.5,2]}\n"));
  EXPECT_EQ(text.find("\"gains\":[1]"), std::string::npos);
}

TEST(ExportRatings, InEveryForm) {
  const Export x;
  StoredRatings r;
  r.users = {1, 0};
  r.items = {0, 3};
  r.predicted = {2.5f, 3};
  r.actual = {4, 3.5f};
  const auto text = [&](ExportForm form) {
    export_ratings(x.folder / "r", x.task, r, form);
    return read_text_file(x.folder / "r");
  };
  EXPECT_EQ(text(ExportForm::kCsv), "user,item,prediction,rating\nv,p,2.5,4\nu 1,\"x,\"\"y\"\"\",3,3.5\n");
  EXPECT_EQ(text(ExportForm::kTsv), "user\titem\tprediction\trating\nv\tp\t2.5\t4\nu 1\t\"x,\"\"y\"\"\"\t3\t3.5\n");
  EXPECT_THAT(text(ExportForm::kJsonl), HasSubstr(R"({"user":"v","item":"p","prediction":2.5,"rating":4})"));
  EXPECT_THAT(message_of<UsageError>([&] { text(ExportForm::kTrec); }), HasSubstr("ratings are not written as 'trec'"));
}

TEST(ExportCandidates, AreThoseThatTrialsRank) {
  TaskSpec spec;
  spec.split.test = 3;
  ViewSpec view;
  view.candidates = "sampled";
  view.sampled = 5;
  const test::Judged j = test::judge(test::random_log(5, 25, 60, 600), spec, view);
  const test::TempFolder folder;
  export_candidates(folder / "c", j.task, j.stored(), ExportForm::kCsv);
  std::string expected = "user,item\n";
  for (std::size_t q = 0; q < j.view.query.size(); ++q)
    for (std::uint64_t c = j.view.candidate_offsets[q]; c < j.view.candidate_offsets[q + 1]; ++c)
      expected += j.stored().users[q] + "," + j.task.item_ids[raw(j.view.candidate_items[c])] + "\n";
  EXPECT_EQ(read_text_file(folder / "c"), expected);
  const test::Judged full = test::judge(test::random_log(5, 25, 60, 600), spec, {});
  EXPECT_EQ(
      message_of<UsageError>([&] { export_candidates(folder / "c", full.task, full.stored(), ExportForm::kCsv); }),
      "in task t1 the whole catalogue competes for every user: there are no candidate lists to write");
}

// NumPy's format 1.0 byte by byte: magic, version, length of the header, header, data.
TEST(Npy, IsTheFormatThatNumPyReads) {
  const test::TempFolder folder;
  const std::vector<float> values{1, -2.5f, 3, 4, 5, 6};
  write_npy(folder / "a.npy", values, {2, 3});
  const std::string bytes = read_text_file(folder / "a.npy");
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t length = static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  EXPECT_EQ((10 + length) % 64, 0u);
  const std::string header = bytes.substr(10, length);
  EXPECT_TRUE(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }")) << header;
  EXPECT_TRUE(header.ends_with('\n'));
  ASSERT_EQ(bytes.size(), 10 + length + 24);
  std::vector<float> back(6);
  std::memcpy(back.data(), bytes.data() + 10 + length, 24);
  EXPECT_EQ(back, values);
  write_npy(folder / "b.npy", std::vector<std::int32_t>{7, -1}, {2});
  EXPECT_THAT(read_text_file(folder / "b.npy"), HasSubstr("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }"));
  EXPECT_THROW(write_npy(folder / "c.npy", values, {7}), LogicError);
}

TEST(Npy, ListsComeWithTheirIds) {
  const Export x;
  const auto files = export_lists_npy(x.folder / "out/full.m", {x.task, x.task.folds[0], x.view, "m"});
  ASSERT_EQ(files.size(), 4u);
  const std::string items = read_text_file(files[0]);
  std::vector<std::int32_t> rows(6);
  std::memcpy(rows.data(), items.data() + items.size() - 24, 24);
  EXPECT_THAT(rows, ElementsAre(3, 1, 2, 0, -1, -1));
  EXPECT_EQ(read_text_file(files[2]), "row,id\n0,u 1\n1,v\n");
  EXPECT_EQ(read_text_file(files[3]), "row,id\n0,p\n1,a song\n2,100%\n3,\"x,\"\"y\"\"\"\n");
  for (const auto& file : files) EXPECT_TRUE(file.filename().string().starts_with("full.m.")) << file;
}

TEST(Export, AFolderThatCannotBeWrittenIsNamed) {
  const Export x;
  x.folder.write("file", "");
  EXPECT_THAT(message_of<EnvironmentError>([&] { export_ids(x.folder / "file/ids.csv", {"a"}); }),
              HasSubstr("cannot write " + (x.folder / "file/ids.csv").string()));
  Export wrong;
  wrong.view.queries = 1;
  EXPECT_THAT(message_of<DataError>([&] { wrong.lists(ExportForm::kCsv); }),
              HasSubstr("the lists of 'my model' have 1 rows, and fold 'all' of task t1 has 2 queries"));
}

}  // namespace
}  // namespace segue
