// Lists that leave a results folder and come back, and what other programs make of them in between.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/index/vector_index.hpp"
#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& e : fs::recursive_directory_iterator(folder))
    if (e.is_regular_file()) out[fs::relative(e.path(), folder).string()] = text_of(e.path());
  return out;
}

// What trec_eval -c prints, from its manual: lists sorted by score, equal scores by id, descending; means over the
// users of the qrels.
struct TrecEval {
  double ndcg10 = 0, recall20 = 0, success10 = 0, p5 = 0;
};
TrecEval trec_eval(const fs::path& qrels_file, const fs::path& run_file) {
  std::map<std::string, std::map<std::string, double>> qrels;
  std::map<std::string, std::vector<std::pair<float, std::string>>> run;
  std::string user, skip, item, rank, tag;
  std::ifstream truth(qrels_file), lists(run_file);
  double gain = 0, score = 0;
  while (truth >> user >> skip >> item >> gain) qrels[user][item] = gain;
  while (lists >> user >> skip >> item >> rank >> score >> tag) run[user].emplace_back(static_cast<float>(score), item);
  TrecEval out;
  for (const auto& [u, gains] : qrels) {
    auto& list = run[u];
    std::sort(list.rbegin(), list.rend());
    std::vector<double> ideal;
    for (const auto& [i, g] : gains) ideal.push_back(g);
    std::sort(ideal.rbegin(), ideal.rend());
    double dcg = 0, best = 0, hits5 = 0, hits10 = 0, hits20 = 0;
    for (std::size_t i = 0; i < 10; ++i) {
      const double discount = std::log2(static_cast<double>(i) + 2);
      if (i < ideal.size()) best += ideal[i] / discount;
      if (i < list.size() && gains.contains(list[i].second)) dcg += gains.at(list[i].second) / discount;
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(20, list.size()); ++i) {
      const bool hit = gains.contains(list[i].second);
      hits5 += hit && i < 5;
      hits10 += hit && i < 10;
      hits20 += hit;
    }
    const auto n = static_cast<double>(qrels.size());
    out.ndcg10 += dcg / best / n;
    out.recall20 += hits20 / static_cast<double>(gains.size()) / n;
    out.success10 += (hits10 > 0) / n;
    out.p5 += hits5 / 5 / n;
  }
  return out;
}

// Means with their intervals. How a row stands to the best depends on which other rows there are.
std::map<std::string, std::vector<Json>> figures_of(const Json& row) {
  std::map<std::string, std::vector<Json>> out;
  for (const auto& [name, m] : row["metrics"].items()) out[name] = {m["mean"], m["low"], m["high"], m["n"]};
  return out;
}

TEST(Exchange, WhatIsExportedScoresTheSameOutsideAndAfterImport) {
  // Plays as gains, and user_knn among few neighbours: many ties, which the run's scores have to part.
  const Bench bench(small_suite("[popular, {item_knn: {neighbours: 3}}, {implicit_als: {factors: 8, epochs: 5}}]",
                                "evaluate: [{candidates: full, name: full, relevance: value, metrics: [ndcg@10, "
                                "recall@20, hr@10, precision@5, mrr@20]}]\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string results = bench.results().string(), out = (bench.folder() / "trec").string();
  const Outcome qrels = bench.segue({"export", results, "--what", "qrels", "-o", out});
  ASSERT_EQ(qrels.exit_code, 0) << qrels.err;
  EXPECT_THAT(
      qrels.err,
      HasSubstr("gains are fractions, and TREC files hold whole numbers: written 10000 times as large, and rounded"));
  EXPECT_EQ(qrels.out, out + "/full.qrels\n");
  const Outcome runs = bench.segue({"export", results, "--what", "runs", "-o", out});
  ASSERT_EQ(runs.exit_code, 0) << runs.err;
  std::istringstream files(runs.out);
  std::size_t n = 0;
  for (std::string file; std::getline(files, file); ++n) {
    SCOPED_TRACE(file);
    const TrecEval found = trec_eval(out + "/full.qrels", file);
    std::ifstream in(file);
    std::string label;
    for (int i = 0; i < 6; ++i) in >> label;
    const Json metrics = bench.row(label)["metrics"];
    const auto figures = figures_of(bench.row(label));
    EXPECT_NEAR(found.ndcg10, metrics["ndcg@10"]["mean"].get<double>(), 2e-5) << "gains are rounded";
    EXPECT_NEAR(found.recall20, metrics["recall@20"]["mean"].get<double>(), 1e-12);
    EXPECT_NEAR(found.success10, metrics["hr@10"]["mean"].get<double>(), 1e-12);
    EXPECT_NEAR(found.p5, metrics["precision@5"]["mean"].get<double>(), 1e-12);

    const Outcome import =
        bench.segue({"import", "--task", results, "--label", "their " + label, file, "--format", "json"});
    ASSERT_EQ(import.exit_code, 0) << import.err;
    const Json row = bench.row("their " + label);
    EXPECT_EQ(figures_of(row), figures) << "every figure, every bit";
    EXPECT_EQ(row["algorithm"], "imported");
    EXPECT_EQ(row["status"], "ok");
    EXPECT_TRUE(row["fit_seconds"].is_null());
    for (const Json& m : Json::parse(import.out))
      EXPECT_EQ(m["value"], metrics[m["metric"].get<std::string>()]["mean"]);
    // CSV keeps equal scores equal; the task's order parts them again.
    const std::string csv = (bench.folder() / "one.csv").string();
    ASSERT_EQ(bench.segue({"export", results, "--what", "lists", "--label", label, "-o", csv}).exit_code, 0);
    ASSERT_EQ(
        bench.segue({"import", "--task", results + ":full", "--label", "their " + label, csv, "--force"}).exit_code, 0);
    EXPECT_EQ(figures_of(bench.row("their " + label)), figures);
  }
  EXPECT_EQ(n, 3u);
}

TEST(Exchange, ImportsStayUntilTheyAreRemoved) {
  const Bench bench(small_suite("[popular, item_knn]"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string results = bench.results().string(), run = (bench.folder() / "a.run").string();
  ASSERT_EQ(bench.segue({"export", results, "--what", "runs", "--label", "item_knn", "-o", run}).out, run + "\n");
  const std::string before = bench.hash();
  const auto files = files_of(bench.results());
  const std::string task =
      (bench.results() / "tasks" / fs::directory_iterator(bench.results() / "tasks")->path().filename()).string();
  ASSERT_EQ(bench.segue({"import", "--task", task, "--label", "theirs", run}).exit_code, 0);
  const std::string with = bench.hash();
  EXPECT_NE(with, before);
  for (const std::vector<std::string>& how :
       std::vector<std::vector<std::string>>{{"-q"}, {"-q", "--fresh"}, {"-q", "+split.seed=43"}, {"-q"}}) {
    ASSERT_EQ(bench.run(how).exit_code, 0);
    EXPECT_EQ(bench.hash() == with, how.size() == 1 || how[1] == "--fresh");
  }
  EXPECT_EQ(figures_of(bench.row("theirs")), figures_of(bench.row("item_knn")));
  const Outcome model = bench.segue({"similar", "--results", results, "--trial", "theirs", "--item", "t00001"});
  EXPECT_EQ(model.exit_code, 2);
  EXPECT_EQ(model.err, "segue: 'theirs' was imported: its lists are stored, but no model\n");
  const Outcome removed = bench.segue({"import", "--task", results, "--remove", "theirs"});
  ASSERT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(removed.out, HasSubstr("removed 'theirs'"));
  EXPECT_EQ(bench.hash(), before);
  EXPECT_FALSE(fs::exists(bench.results() / "imports.json"));
}

TEST(Exchange, MistakesLeaveTheFolderAsItWas) {
  const Bench bench(small_suite("[popular]",
                                "evaluate: [{candidates: full, metrics: [ndcg@10]}, {candidates: {sampled: 20}, name: "
                                "few, metrics: [hr@10]}]\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string results = bench.results().string();
  const auto write = [&](const std::string& text) { return bench.folder().write("lists.csv", text).string(); };
  const auto before = files_of(bench.results());
  const auto refused = [&](const std::vector<std::string>& arguments, int code, const std::string& says) {
    std::vector<std::string> words{"import"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Outcome outcome = bench.segue(words);
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(files_of(bench.results()), before) << says;
  };
  const std::string full = results + ":full";
  refused({"--task", results, "--label", "x", write("a,b,1\n")}, 2,
          results + " has several tasks: full, few; name one, as in --task " + results + ":full");
  refused({"--task", results + ":fall", "--label", "x", write("a,b,1\n")}, 2,
          "has no task 'fall'; did you mean 'full'?");
  refused({"--task", results + "x", "--label", "x", write("a,b,1\n")}, 2, "is not a results folder");
  refused({"--task", full, "--label", "popular", write("a,b,1\n")}, 2,
          "the label 'popular' is taken: it is a row of the suite 'small' (algorithm popular)");
  refused({"--task", full, write("a,b,1\n")}, 2, "needs --label");
  refused({"--task", full, "--label", "x"}, 2, "needs FILE");
  refused({"--task", full, "--label", "x", "--fold", "u9", write("a,b,1\n")}, 2, "the task has no fold 'u9'");
  refused({"--task", full, "--label", "x", write("a,b,1\n")}, 3,
          "lists.csv:1: no user 'a' in data set 'demo-60-30-200-60', which has 60, such as '");
  refused({"--task", full, "--label", "x", write("a,b\n")}, 3, "lists.csv:1: found 2 columns without a header");
  refused({"--task", full, "--label", "x", "none.csv"}, 3, "cannot read 'none.csv'");
  refused({"--task", full, "--label", "x", write("a,b,1\n"), "--unknown", "drop"}, 3, "has no list for any of the ");
  refused({"--task", full, "--remove", "x"}, 2, "nothing is imported as 'x' in " + results);
  refused({"--task", full, "--remove", "x", "--label", "y"}, 2, "--remove takes neither a file nor --label");
  const Outcome what = bench.segue({"export", results, "--what", "run", "-o", "x"});
  EXPECT_EQ(what.exit_code, 2);
  EXPECT_THAT(bench.segue({"export", results, "--what", "lists", "--label", "populr", "-o", "x"}).err,
              HasSubstr("has no row 'populr'; did you mean 'popular'?"));
  EXPECT_THAT(bench.segue({"export", results, "--what", "ratings", "-o", "x"}).err,
              HasSubstr("nothing to export: no trial of this choice has predicted ratings"));
  EXPECT_THAT(bench.segue({"export", results, "--what", "candidates", "--task", "full", "-o", "x"}).err,
              HasSubstr("the whole catalogue competes"));
}

TEST(Exchange, FoldsRatingsAndEmbeddings) {
  const Bench bench("version: 1\nname: cv\n" + kSmallDemo +
                    "feedback: {transform: log_confidence}\nsplit: {strategy: k_fold, folds: 2}\nseeds: [1, 2]\n"
                    "algorithms: [{implicit_als: {factors: 8, epochs: 3}}, popular]\nevaluate: [{metrics: [hr@5]}]\n");
  const Outcome run = bench.run({"-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string results = bench.results().string(), out = (bench.folder() / "out").string();
  ASSERT_EQ(bench.segue({"export", results, "--what", "runs", "--label", "popular", "-o", out}).exit_code, 0);
  std::vector<std::string> runs;
  for (const auto& [name, text] : files_of(out)) runs.push_back(name);
  ASSERT_EQ(runs.size(), 4u) << "two folds, two seeds";
  const Outcome without = bench.segue({"import", "--task", results, "--label", "theirs", out + "/" + runs[0]});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.err,
              HasSubstr("the task has several folds, each with a file of its own: name one with --fold; known: "));
  std::string known = without.err.substr(without.err.find("known: ") + 7);
  const std::string first = known.substr(0, known.find(", ")),
                    second = known.substr(known.find(", ") + 2, first.size());
  for (const std::string& name : runs) {
    if (name.find("seed1") == std::string::npos) continue;
    const std::string fold = name == runs[0] ? first : second;
    const Outcome import =
        bench.segue({"import", "--task", results, "--label", "theirs", "--fold", fold, out + "/" + name});
    ASSERT_EQ(import.exit_code, 0) << import.err;
    EXPECT_EQ(bench.row("theirs")["status"], fold == first ? "partial" : "ok");
  }
  EXPECT_EQ(bench.row("theirs")["metrics"]["hr@5"]["n"], bench.row("popular")["metrics"]["hr@5"]["n"]);

  const Outcome vectors =
      bench.segue({"export", results, "--what", "embeddings", "--fold", first, "-o", out + "/vectors"});
  ASSERT_EQ(vectors.exit_code, 0) << vectors.err;
  EXPECT_THAT(vectors.out, testing::AllOf(HasSubstr("items.npy"), HasSubstr("users.npy"), HasSubstr("items.csv"),
                                          HasSubstr("users.csv")));
  EXPECT_THAT(vectors.err, HasSubstr("'popular' has no embeddings"));
  for (const auto& [name, text] : files_of(out + "/vectors"))
    if (name.ends_with("items.npy")) {
      EXPECT_THAT(text.substr(0, 100), HasSubstr(", 8), }")) << name;
    }

  const Outcome indexed = bench.segue({"export", results, "--what", "embeddings", "--index", "hnsw", "--fold", first,
                                       "-o", out + "/indexed"});
  ASSERT_EQ(indexed.exit_code, 0) << indexed.err;
  int indexes = 0;
  for (const auto& [name, text] : files_of(out + "/indexed")) {
    if (!name.ends_with(".items.hnsw")) continue;
    const std::string base = out + "/indexed/" + name.substr(0, name.size() - 4);
    const std::unique_ptr<VectorIndex> index = load_index(base + "hnsw");
    EXPECT_EQ(index->dims() % 16, 0u);
    EXPECT_EQ(index->rows() + 1, static_cast<std::size_t>(std::ranges::count(text_of(base + "csv"), '\n')));
    ++indexes;
  }
  EXPECT_GT(indexes, 0);
  EXPECT_EQ(bench.segue({"export", results, "--what", "lists", "--index", "hnsw", "-o", out}).exit_code, 2);
}

TEST(Exchange, PredictedRatingsComeBackToo) {
  Bench bench(
      "version: 1\nname: stars\ndataset: {name: delimited, path: stars.csv, rating: rating, values: rating}\nfeedback: "
      "{transform: rating}\n"
      "split: {strategy: random_ratio, test: 0.3}\nalgorithms: [bias]\nevaluate: [{metrics: [rmse, mae]}]\n");
  std::string csv = "user,item,rating\n";
  for (int u = 0; u < 20; ++u)
    for (int i = 0; i < 12; ++i)
      if ((u + i) % 3 != 0)
        csv += "u" + std::to_string(u) + ",i" + std::to_string(i) + "," + std::to_string(1 + (u * i) % 5) + "\n";
  bench.folder().write("stars.csv", csv);
  const Outcome run = bench.run({"-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string results = bench.results().string(), file = (bench.folder() / "ratings.csv").string();
  ASSERT_EQ(bench.segue({"export", results, "--what", "ratings", "-o", file}).out, file + "\n");
  const Outcome import = bench.segue({"import", "--task", results, "--label", "theirs", file});
  ASSERT_EQ(import.exit_code, 0) << import.err;
  EXPECT_EQ(figures_of(bench.row("theirs")), figures_of(bench.row("bias")));
  std::string text = text_of(file);
  text.erase(text.rfind("\nu") + 1);
  bench.folder().write("ratings.csv", text);
  const Outcome missing = bench.segue({"import", "--task", results, "--label", "other", file});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.err, testing::AllOf(HasSubstr("lacks 1 of the "),
                                          HasSubstr("predict each of them (segue export --what ratings writes them)")));
}

}  // namespace
}  // namespace segue::test
