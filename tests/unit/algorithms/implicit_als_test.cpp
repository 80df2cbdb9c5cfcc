#include <fstream>
#include <numeric>

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include "algorithms/implicit_als/implicit_als_math.hpp"
#include "framework/model/recommend.hpp"
#include "tests/support/data_dir.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"

extern "C" void segue_register_algorithm_implicit_als(segue::Registry& registry);

namespace segue {
namespace {

using test::every_user;
using test::Fitted;
using test::params_of;
using test::same_bits;
using test::scores_of;

constexpr std::size_t kUsers = 30, kItems = 22;
constexpr float kReg = 0.7f, kAlpha = 3.0f;

// Weights of both signs, and one of zero. The last user and the last item have no events; user 0 has only dislikes.
Csr<ItemIdx> small_events(std::size_t users = kUsers, std::size_t items = kItems) {
  Rng rng(5);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  std::vector<float> weights;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; u + 1 < users && i + 1 < items; ++i) {
      if (rng.uniform() > 0.3) continue;
      columns.push_back(item_at(i));
      const float weight = static_cast<float>(rng.uniform() * 3);
      weights.push_back(u == 0 || rng.uniform() < 0.2 ? -weight : weight);
    }
    offsets.push_back(columns.size());
  }
  weights[weights.size() / 2] = 0;
  return {items, std::move(offsets), std::move(columns), std::move(weights)};
}

Registry registry() {
  Registry out;
  segue_register_algorithm_implicit_als(out);
  return out;
}

Value small_params(int epochs = 3) {
  return params_of({{"factors", Value::integer(6)},
                    {"epochs", Value::integer(epochs)},
                    {"reg", Value::real(0.7)},
                    {"alpha", Value::real(3)}});
}

Fitted fit_small(int threads = 1, int epochs = 3) {
  return test::fit(registry(), "implicit_als", small_params(epochs), small_events(), threads);
}

// The model's definition, dense and in double: one row's A and b, and the objective of a pair.
struct Oracle {
  explicit Oracle(const AlsSettings& settings) : s(settings) {}
  double quadratic(double w) const {
    return static_cast<double>(s.unobserved) + static_cast<double>(s.alpha) * std::abs(w);
  }
  double linear(double w) const {
    if (w <= 0) return 0;
    return s.loss == AlsLoss::kConfidence ? quadratic(w) : static_cast<double>(s.alpha) * w;
  }
  double penalty(const Eigen::VectorXd& w) const {
    const double n = static_cast<double>((w.array() != 0).count()), m = static_cast<double>(w.size());
    return static_cast<double>(s.reg) *
           std::pow(n + static_cast<double>(s.unobserved) * m, static_cast<double>(s.reg_exponent));
  }
  Eigen::VectorXd solve(const Eigen::MatrixXd& y, const Eigen::VectorXd& w) const {
    Eigen::MatrixXd a = penalty(w) * Eigen::MatrixXd::Identity(y.cols(), y.cols());
    Eigen::VectorXd b = Eigen::VectorXd::Zero(y.cols());
    for (Eigen::Index i = 0; i < w.size(); ++i) {
      a += quadratic(w[i]) * y.row(i).transpose() * y.row(i);
      b += linear(w[i]) * y.row(i).transpose();
    }
    return a.ldlt().solve(b);
  }
  double loss(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y, const Eigen::MatrixXd& w) const {
    double total = 0;
    for (Eigen::Index r = 0; r < w.rows(); ++r) {
      total += penalty(w.row(r).transpose()) * x.row(r).squaredNorm();
      for (Eigen::Index c = 0; c < w.cols(); ++c) {
        const double dot = x.row(r).dot(y.row(c)), p = w(r, c) > 0 ? 1 : 0, miss = p - dot;
        const double extra = static_cast<double>(s.alpha) * std::abs(w(r, c)), a0 = static_cast<double>(s.unobserved);
        total += s.loss == AlsLoss::kConfidence ? (a0 + extra) * miss * miss : extra * miss * miss + a0 * dot * dot;
      }
    }
    for (Eigen::Index c = 0; c < w.cols(); ++c) total += penalty(w.col(c)) * y.row(c).squaredNorm();
    return total;
  }
  AlsSettings s;
};
template <class Index>
Eigen::MatrixXd dense(const Csr<Index>& events) {
  Eigen::MatrixXd out =
      Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(events.rows()), static_cast<Eigen::Index>(events.cols()));
  for (std::size_t r = 0; r < events.rows(); ++r)
    for (std::size_t n = 0; n < events.row_size(r); ++n)
      out(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(events.indices(r)[n])) =
          static_cast<double>(events.values(r)[n]);
  return out;
}

// Every combination of the two losses with plain and frequency-scaled penalties.
std::vector<AlsSettings> every_objective() {
  std::vector<AlsSettings> out;
  for (AlsLoss loss : {AlsLoss::kConfidence, AlsLoss::kSeparate})
    for (float nu : {0.0f, 1.0f, 0.5f})
      out.push_back({.reg = nu == 0 ? kReg : 0.05f,
                     .alpha = kAlpha,
                     .unobserved = nu == 0 ? 1.0f : 0.3f,
                     .reg_exponent = nu,
                     .loss = loss});
  return out;
}

// The objective of one half-step with each solver, and where it ends after `steps` from a random start.
template <class Index>
void expect_half_steps_agree(const Csr<Index>& events, std::size_t d) {
  const Executor exec(2);
  const auto dims = static_cast<Eigen::Index>(d);
  const Eigen::MatrixXd w = dense(events);
  Matrix<float> columns(static_cast<Eigen::Index>(events.cols()), dims),
      start(static_cast<Eigen::Index>(events.rows()), dims);
  Rng(8).fill_normal({columns.data(), static_cast<std::size_t>(columns.size())}, 0, 0.5f);
  Rng(9).fill_normal({start.data(), static_cast<std::size_t>(start.size())}, 0, 0.5f);
  const Matrix<float> column_gram = gram(columns, exec);
  const Eigen::MatrixXd y = columns.cast<double>();
  for (AlsSettings settings : every_objective()) {
    const Oracle oracle(settings);
    const double rest = als_loss_at_zero(events, settings, exec) +
                        als_penalties(events.template transposed<std::uint32_t>(), columns, settings, exec);
    Eigen::MatrixXd best(start.rows(), dims);
    for (Eigen::Index r = 0; r < best.rows(); ++r) best.row(r) = oracle.solve(y, w.row(r).transpose()).transpose();
    const double least = oracle.loss(best, y, w), scale = best.cwiseAbs().maxCoeff();
    for (AlsSolver solver : {AlsSolver::kCholesky, AlsSolver::kCg, AlsSolver::kBlock}) {
      settings.solver = solver;
      settings.cg_steps = 2;
      settings.block_size = 4;
      Matrix<float> rows = start;
      double before = oracle.loss(start.cast<double>(), y, w);
      for (int step = 0; step < (solver == AlsSolver::kCholesky ? 1 : 100); ++step) {
        const double loss = rest - als_half_step(events, columns, column_gram, settings, rows, exec);
        const double expected = oracle.loss(rows.cast<double>(), y, w);
        ASSERT_NEAR(loss, expected, 1e-5 * expected) << "solver " << static_cast<int>(solver) << " step " << step;
        EXPECT_LE(expected, before * (1 + 1e-6)) << "solver " << static_cast<int>(solver) << " step " << step;
        if (step == 0) {
          EXPECT_LT(expected, 0.9 * before + 0.1 * least);
        }
        before = expected;
      }
      EXPECT_NEAR(before, least, 1e-6 * least) << "solver " << static_cast<int>(solver);
      const double far = (rows.cast<double>() - best).cwiseAbs().maxCoeff();
      EXPECT_LE(far, (solver == AlsSolver::kCholesky ? 3e-5 : 3e-3) * scale) << "solver " << static_cast<int>(solver);
    }
  }
}

TEST(ImplicitAls, UserHalfStepsAgreeWithTheDenseOracle) { expect_half_steps_agree(small_events(), 6); }
TEST(ImplicitAls, ItemHalfStepsAgreeWithTheDenseOracle) {
  expect_half_steps_agree(small_events().transposed<UserIdx>(), 6);
}
TEST(ImplicitAls, WiderHalfStepsAgreeWithTheDenseOracle) { expect_half_steps_agree(small_events(60, 80), 18); }

// Frequency-scaled, two-term and iterative settings, through the whole model.
Value variant(const char* solver, int epochs = 3) {
  return params_of({{"factors", Value::integer(20)},
                    {"epochs", Value::integer(epochs)},
                    {"reg", Value::real(0.02)},
                    {"alpha", Value::real(1)},
                    {"loss", Value::string("separate")},
                    {"unobserved_weight", Value::real(0.2)},
                    {"reg_exponent", Value::real(1)},
                    {"solver", Value::string(solver)},
                    {"block_size", Value::integer(8)}});
}

TEST(ImplicitAls, EverySolverLowersTheObjectiveToTheSameEnd) {
  const Csr<ItemIdx> events = small_events(120, 60);
  std::vector<double> ends;
  for (const char* solver : {"cholesky", "cg", "block"}) {
    const Fitted fitted = test::fit(registry(), "implicit_als", variant(solver, 60), events, 2);
    const std::vector<double>& loss = fitted.curve.series.at("loss");
    for (std::size_t e = 1; e < loss.size(); ++e)
      EXPECT_LE(loss[e], loss[e - 1] * (1 + 1e-6)) << solver << " epoch " << e + 1;
    EXPECT_LT(loss.back(), loss.front()) << solver;
    ends.push_back(loss.back());
  }
  EXPECT_NEAR(ends[1], ends[0], 0.01 * ends[0]);
  EXPECT_NEAR(ends[2], ends[0], 0.01 * ends[0]);
}

TEST(ImplicitAls, EverySolverHasTheSameBitsForAnyThreadCount) {
  const Csr<ItemIdx> events = small_events(400, 190);  // several blocks of rows
  ASSERT_GT(als_cuts({events.offsets().data(), events.offsets().size()}, 20).size(), 4u);
  const std::vector<Query> queries = every_user(400);
  for (const char* solver : {"cholesky", "cg", "block"}) {
    const Fitted one = test::fit(registry(), "implicit_als", variant(solver), events, 1);
    for (int threads : {2, 3, 8}) {
      const Fitted many = test::fit(registry(), "implicit_als", variant(solver), events, threads);
      EXPECT_TRUE(same_bits(scores_of(*many.model, queries), scores_of(*one.model, queries))) << solver << threads;
      EXPECT_EQ(many.curve.series, one.curve.series) << solver << threads;
    }
  }
}

TEST(ImplicitAls, CutsCoverEveryRowOnce) {
  std::vector<std::uint64_t> offsets{0};
  for (std::size_t r = 0; r < 1000; ++r) offsets.push_back(offsets.back() + (r == 300 ? 100000 : r % 7 * 20));
  const std::vector<std::size_t> cuts = als_cuts(offsets, 64);
  EXPECT_EQ(cuts.front(), 0u);
  EXPECT_EQ(cuts.back(), 1000u);
  for (std::size_t c = 1; c < cuts.size(); ++c) {
    ASSERT_LT(cuts[c - 1], cuts[c]);
    const std::size_t before_last = offsets[cuts[c] - 1] - offsets[cuts[c - 1]];
    EXPECT_LT(before_last, 4096u + 100) << "a block ends as soon as it is heavy enough";
  }
  EXPECT_EQ(als_cuts(std::vector<std::uint64_t>{0}, 64), std::vector<std::size_t>{0});
}

TEST(ImplicitAls, MissingWeightsAreOnes) {
  const Csr<ItemIdx> events = small_events();
  const Csr<ItemIdx> none(kItems, events.offsets(), events.all_indices(), Array<float>());
  const Csr<ItemIdx> ones(kItems, events.offsets(), events.all_indices(), std::vector<float>(events.nnz(), 1.0f));
  const Fitted a = test::fit(registry(), "implicit_als", small_params(), none);
  const Fitted b = test::fit(registry(), "implicit_als", small_params(), ones);
  EXPECT_TRUE(same_bits(scores_of(*a.model, every_user(kUsers)), scores_of(*b.model, every_user(kUsers))));
}

TEST(ImplicitAls, ObjectiveNeverRises) {
  const Fitted fitted = fit_small(2, 20);
  const std::vector<double>& loss = fitted.curve.series.at("loss");
  ASSERT_EQ(loss.size(), 20u);
  for (std::size_t e = 1; e < loss.size(); ++e) EXPECT_LE(loss[e], loss[e - 1] * (1 + 1e-6)) << "epoch " << e + 1;
  EXPECT_LT(loss.back(), loss.front());
}

TEST(ImplicitAls, SameBitsForAnyThreadCount) {
  const Csr<ItemIdx> events = small_events(400, 190);  // several blocks of rows
  const std::vector<Query> queries = every_user(400);
  const Fitted one = test::fit(registry(), "implicit_als", small_params(), events, 1);
  for (int threads : {2, 3, 8}) {
    const Fitted many = test::fit(registry(), "implicit_als", small_params(), events, threads);
    EXPECT_TRUE(same_bits(scores_of(*many.model, queries), scores_of(*one.model, queries))) << threads << " threads";
    EXPECT_EQ(many.curve.series, one.curve.series) << threads << " threads";
  }
}

TEST(ImplicitAls, TheSeedDecides) {
  const Fitted a = test::fit(registry(), "implicit_als", small_params(), small_events(), 1, 1);
  const Fitted b = test::fit(registry(), "implicit_als", small_params(), small_events(), 1, 2);
  EXPECT_FALSE(same_bits(scores_of(*a.model, every_user(kUsers)), scores_of(*b.model, every_user(kUsers))));
}

TEST(ImplicitAls, SavedAndLoadedScoresHaveTheSameBits) {
  const Fitted fitted = fit_small();
  test::MemoryArchive archive;
  fitted.model->save(archive.writer());
  const auto loaded = registry().make("implicit_als", small_params());
  loaded->load(archive.reader());
  std::vector<Query> queries = every_user(kUsers);
  const std::vector<ItemIdx> history{item_at(3), item_at(7)};
  queries.push_back({.history = history});
  EXPECT_TRUE(same_bits(scores_of(*fitted.model, queries), scores_of(*loaded, queries)));
}

TEST(ImplicitAls, FoldingInATrainingUserGivesTheStoredFactor) {
  const Fitted fitted = fit_small();
  const Csr<ItemIdx> events = small_events();
  std::vector<float> stored(6), folded(6);
  for (std::size_t u = 0; u < kUsers; ++u) {
    // Backwards and with one item twice, its weight halved: a history is in time order and may repeat.
    std::vector<ItemIdx> items(events.indices(u).rbegin(), events.indices(u).rend());
    std::vector<float> weights(events.values(u).rbegin(), events.values(u).rend());
    if (!items.empty()) {
      items.push_back(items.front());
      weights.push_back(weights.front() /= 2);
    }
    fitted.model->embeddings()->query_vector({.user = user_at(u)}, stored);
    for (UserIdx unseen : {kNoUser, user_at(kUsers), user_at(kUsers + 1000)}) {
      fitted.model->embeddings()->query_vector({.user = unseen, .history = items, .weights = weights}, folded);
      for (std::size_t d = 0; d < 6; ++d) EXPECT_NEAR(folded[d], stored[d], 1e-6) << "user " << u;
    }
  }
}

TEST(ImplicitAls, UsersAndItemsWithoutEvents) {
  const Fitted fitted = fit_small();
  const std::size_t last = kUsers - 1;
  std::vector<float> vector(6, 9.0f);
  fitted.model->embeddings()->query_vector({.user = user_at(last)}, vector);
  EXPECT_EQ(vector, std::vector<float>(6, 0.0f));
  fitted.model->embeddings()->query_vector({.user = user_at(0)}, vector);  // only dislikes
  EXPECT_EQ(vector, std::vector<float>(6, 0.0f));
  EXPECT_TRUE(fitted.model->embeddings()->item_vectors().row(kItems - 1).isZero(0));

  // A user without training events, but with a history, is folded in; items outside the vocabulary count for nothing.
  const std::vector<ItemIdx> history{item_at(2), kNoItem, item_at(5)}, known{item_at(2), item_at(5)};
  std::vector<float> plain(6);
  fitted.model->embeddings()->query_vector({.user = user_at(last), .history = history}, vector);
  fitted.model->embeddings()->query_vector({.user = kNoUser, .history = known}, plain);
  EXPECT_EQ(vector, plain);
  EXPECT_NE(vector, std::vector<float>(6, 0.0f));
  // Who has a factor of his own keeps it whatever his history.
  std::vector<float> own(6);
  fitted.model->embeddings()->query_vector({.user = user_at(1)}, own);
  fitted.model->embeddings()->query_vector({.user = user_at(1), .history = known}, vector);
  EXPECT_EQ(vector, own);
}

TEST(ImplicitAls, BatchesAndCandidatesAgree) {
  const Fitted fitted = fit_small();
  std::vector<Query> queries = every_user(kUsers);
  const std::vector<ItemIdx> history{item_at(1), item_at(4), item_at(1)};
  queries.push_back({.history = history});
  queries.push_back({});
  test::expect_batches_agree(*fitted.model, queries);
}

TEST(ImplicitAls, SeparatesTwoTastes) {
  // Even users like even items, odd users odd ones; each user misses one item of his kind, which must come first.
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  std::vector<std::uint64_t> ends{0};
  std::vector<ItemIdx> withheld;
  for (std::size_t u = 0; u < 20; ++u) {
    withheld.push_back(item_at((u + 2 * (u / 2 % 8)) % 16 / 2 * 2 + u % 2));
    for (std::size_t i = u % 2; i < 16; i += 2)
      if (item_at(i) != withheld[u]) columns.push_back(item_at(i));
    offsets.push_back(columns.size());
    ends.push_back(u + 1);
  }
  const Csr<ItemIdx> events(16, std::vector(offsets), std::vector(columns), Array<float>());
  const Fitted fitted = test::fit(registry(), "implicit_als", small_params(10), events);
  CandidatePolicy policy;
  policy.excluded = {offsets, columns};
  const Executor exec(1);
  const TopK top = recommend(*fitted.model, every_user(20), policy, 1, exec);
  EXPECT_EQ(top.items, withheld);
}

TEST(ImplicitAls, ASingularSystemIsExplained) {
  const auto model =
      registry().make("implicit_als", params_of({{"reg", Value::real(1e-30)}, {"factors", Value::integer(64)}}));
  const Executor exec(1);
  const Interactions train(small_events());
  Progress progress;
  FitContext ctx{exec, Rng(1), progress};
  try {
    model->fit({train, {}, {}}, ctx);
    FAIL() << "64 factors of 22 items need a penalty";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("raise reg"), std::string::npos) << error.what();
  }
}

// The leave-one-out files of He et al. 2017: rank the withheld film among 99 given negatives.
TEST(ImplicitAls, QualityOnMovieLens1M) {
#ifndef NDEBUG
  GTEST_SKIP() << "takes too long without optimisation";
#endif
  const auto folder = test::real_data("ncf-ml-1m");
  if (!folder) GTEST_SKIP() << test::missing_data("ncf-ml-1m");
  std::vector<std::vector<ItemIdx>> rows(6040);
  std::ifstream train(*folder / "ml-1m.train.rating");
  std::size_t user = 0, item = 0;
  for (std::string rest; train >> user >> item && std::getline(train, rest);) rows.at(user).push_back(item_at(item));
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  for (std::vector<ItemIdx>& row : rows) {
    std::sort(row.begin(), row.end());
    columns.insert(columns.end(), row.begin(), row.end());
    offsets.push_back(columns.size());
  }
  const Csr<ItemIdx> events(3706, std::move(offsets), std::move(columns), Array<float>());
  ASSERT_EQ(events.nnz(), 994169u);

  std::vector<ItemIdx> truth, candidates;
  std::vector<std::uint64_t> truth_ends{0}, ends{0};
  std::ifstream negatives(*folder / "ml-1m.test.negative");
  for (std::string line; std::getline(negatives, line);) {
    for (char& c : line)
      if (c == '(' || c == ')' || c == ',') c = ' ';
    std::istringstream in(line);
    in >> user >> item;
    truth.push_back(item_at(item));
    candidates.push_back(item_at(item));
    const std::size_t own = item;
    while (in >> item)
      if (item != own) candidates.push_back(item_at(item));
    truth_ends.push_back(truth.size());
    ends.push_back(candidates.size());
  }
  ASSERT_EQ(truth.size(), 6040u);
  const Fitted fitted = test::fit(registry(), "implicit_als", Value(), events, 2);
  CandidatePolicy policy;
  policy.candidates = {ends, candidates};
  const Executor exec(2);
  TruthRanks ranks;
  recommend(*fitted.model, every_user(6040), policy, 10, exec, {truth_ends, truth}, ranks);
  double hits = 0, ndcg = 0;
  for (std::uint32_t rank : ranks.rank) {
    if (rank == 0 || rank > 10) continue;
    ++hits;
    ndcg += 1 / std::log2(rank + 1.0);
  }
  EXPECT_GE(hits / 6040, 0.715);  // 0.721 when this was written; popularity has 0.453
  EXPECT_GE(ndcg / 6040, 0.440);  // 0.445
}

}  // namespace
}  // namespace segue
