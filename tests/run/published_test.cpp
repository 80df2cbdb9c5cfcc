// The shipped reproductions against published figures. Each test runs a part of a suite, so that they share the cores.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/run/bench.hpp"
#include "tests/support/data_dir.hpp"

namespace segue::test {
namespace {

// Rows of one of experiments/*.yaml.
class Experiment {
 public:
  Experiment(const std::string& suite, const std::string& only) {
    const Outcome outcome = bench_.segue({"run", std::string(SEGUE_SOURCE_DIR) + "/experiments/" + suite, "-o",
                                          bench_.results().string(), "-q", "--only", only, "~plots"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    board_ = bench_.leaderboard();
  }
  double mean(const std::string& label, const std::string& metric) const {
    for (const Json& row : board_["rows"])
      if (row["label"] == label)
        return row["metrics"].contains(metric) ? row["metrics"][metric]["mean"].get<double>() : std::nan("");
    return std::nan("");
  }
  std::uint64_t n(const std::string& label, const std::string& metric) const {
    for (const Json& row : board_["rows"])
      if (row["label"] == label) return row["metrics"][metric]["n"];
    return 0;
  }

 private:
  Bench bench_;
  Json board_;
};

#define NEEDS(folder) \
  if (!real_data(folder)) GTEST_SKIP() << missing_data(folder)

// Rendle, Krichene, Zhang & Anderson 2020, Neural collaborative filtering vs. matrix factorization revisited, table 1.
TEST(Ncf, PopularityIsThePublishedOneAndRandomIsRandom) {
  NEEDS("ncf-ml-1m");
  const Experiment run("ncf-ml-1m.yaml", "popular,random");
  EXPECT_NEAR(run.mean("popular", "hr@10"), 0.4535, 0.0004);
  EXPECT_NEAR(run.mean("popular", "ndcg@10"), 0.2543, 0.0002);
  EXPECT_EQ(run.n("popular", "hr@10"), 6040u);
  // One of a hundred (of 99 in 156 lists) at ten: p = 0.1, and four standard errors of 6040 draws.
  EXPECT_NEAR(run.mean("random", "hr@10"), 0.1, 4 * std::sqrt(0.1 * 0.9 / 6040));
}

TEST(Ncf, NeighboursReachWhatIsKnownOfThem) {
  NEEDS("ncf-ml-1m");
  const Experiment run("ncf-ml-1m.yaml", "item_knn,user_knn");
  EXPECT_GE(run.mean("item_knn", "hr@10"), 0.665);
  EXPECT_GE(run.mean("user_knn", "hr@10"), 0.650);
}

TEST(Ncf, FactorsReachWhatIsKnownOfThem) {
  NEEDS("ncf-ml-1m");
  const Experiment run("ncf-ml-1m.yaml", "implicit_als");
  EXPECT_GE(run.mean("implicit_als", "hr@10"), 0.715);
  EXPECT_GE(run.mean("implicit_als", "ndcg@10"), 0.440);
}

// Surprise (surpriselib.com, benchmarks): baseline 0.944, k-NN baseline 0.931, SVD 0.934 on random folds.
TEST(Ratings, OnTheFiveFoldsOfMovieLens100K) {
  NEEDS("ml-100k");
  const Experiment run("ml-100k-ratings.yaml", "bias,item_knn,user_knn,sgd_mf");
  EXPECT_NEAR(run.mean("bias", "rmse"), 0.942, 0.003);
  EXPECT_EQ(run.n("bias", "rmse"), 100000u);
  EXPECT_LE(run.mean("item_knn", "rmse"), 0.935);
  EXPECT_LE(run.mean("user_knn", "rmse"), 0.935);
  EXPECT_LE(run.mean("sgd_mf", "rmse"), 0.920);
  EXPECT_GT(run.mean("sgd_mf", "rmse"), 0.85) << "too good to be true";
}

}  // namespace
}  // namespace segue::test
