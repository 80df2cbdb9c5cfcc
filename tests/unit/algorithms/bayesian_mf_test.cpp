#include <cmath>
#include <fstream>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "algorithms/bayesian_mf/bayesian_mf_math.hpp"
#include "framework/base/distributions.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/data_dir.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"

extern "C" void segue_register_algorithm_bayesian_mf(segue::Registry& registry);

namespace segue {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::every_user;
using test::Fitted;
using test::params_of;
using test::same_bits;
using test::scores_of;

Matrix<float> normal_rows(std::size_t n, std::size_t d, std::uint64_t seed, float stddev = 0.5f) {
  Matrix<float> out(static_cast<Index>(n), static_cast<Index>(d));
  Rng(seed).fill_normal({out.data(), n * d}, 0, stddev);
  return out;
}

// A positive definite matrix that is far from a multiple of the identity.
MatrixXd some_precision(std::size_t d, std::uint64_t seed) {
  const MatrixXd rows = normal_rows(2 * d, d, seed).cast<double>();
  return rows.transpose() * rows + 3 * MatrixXd::Identity(static_cast<Index>(d), static_cast<Index>(d));
}

// Ratings that row and column explain in part; the last row and the last column have none.
Csr<ItemIdx> ratings(std::size_t users, std::size_t items, double density = 0.4) {
  Rng rng(4);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  std::vector<float> weights;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; u + 1 < users && i + 1 < items; ++i) {
      if (rng.uniform() > density) continue;
      columns.push_back(item_at(i));
      weights.push_back(static_cast<float>(1 + (u % 3 + i % 2 + 2 * ((u + i) % 2)) % 5));
    }
    offsets.push_back(columns.size());
  }
  return {items, std::move(offsets), std::move(columns), std::move(weights)};
}

// E = freedom S, Var of element ij = freedom (s_ij^2 + s_ii s_jj), and the mean of the inverse is S^-1 / (freedom - d -
// 1).
TEST(Wishart, HasItsMoments) {
  const Index d = 3;
  const double freedom = 9;
  const MatrixXd inverse_scale = some_precision(3, 2), scale = inverse_scale.inverse();
  MatrixXd sum = MatrixXd::Zero(d, d), squares = sum, inverses = sum, inverse_squares = sum;
  const int n = 40000;
  Rng rng(5);
  for (int i = 0; i < n; ++i) {
    const MatrixXd draw = draw_wishart(inverse_scale, freedom, rng);
    ASSERT_LE((draw - draw.transpose()).cwiseAbs().maxCoeff(), 1e-12 * draw.cwiseAbs().maxCoeff());
    const MatrixXd inverse = draw.inverse(), off = draw - freedom * scale;
    sum += off;
    squares += off.cwiseAbs2();
    inverses += inverse;
    inverse_squares += inverse.cwiseAbs2();
  }
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) {
      const double variance = freedom * (scale(i, j) * scale(i, j) + scale(i, i) * scale(j, j));
      EXPECT_NEAR(sum(i, j) / n, 0, 5 * std::sqrt(variance / n)) << i << j;
      EXPECT_NEAR(squares(i, j) / n, variance, 0.08 * variance) << i << j;  // the kurtosis is below 9: 5 errors
      const double expected = inverse_scale(i, j) / (freedom - static_cast<double>(d) - 1);
      const double spread = inverse_squares(i, j) / n - std::pow(inverses(i, j) / n, 2);
      EXPECT_NEAR(inverses(i, j) / n, expected, 5 * std::sqrt(spread / n)) << i << j;
    }
  }
  EXPECT_THROW(draw_wishart(inverse_scale, 2, rng), LogicError);
  EXPECT_THROW(draw_wishart(-inverse_scale, 5, rng), UsageError);
}

// Equation 14 of Salakhutdinov & Mnih 2008 as it is written there.
TEST(Prior, IsDrawnFromThePaperEquation) {
  const std::size_t n = 12, d = 3;
  Matrix<float> rows = normal_rows(n, d, 6);
  rows.col(1).array() += 1.5f;
  const MatrixXd x = rows.cast<double>();
  const VectorXd mean = x.colwise().mean();
  MatrixXd s = MatrixXd::Zero(3, 3);
  for (Index r = 0; r < x.rows(); ++r)
    s += (x.row(r).transpose() - mean) * (x.row(r).transpose() - mean).transpose() / static_cast<double>(n);
  for (const double more : {0.0, 4.0}) {
    MatrixXd inverse_scale = MatrixXd::Identity(3, 3) + static_cast<double>(n) * s;
    inverse_scale += 2.0 * n / (2.0 + n) * mean * mean.transpose();
    Scatter extra{{}, more};
    if (more > 0) inverse_scale += extra.squares = some_precision(3, 9);
    const double freedom = static_cast<double>(n) + 3 + more;

    const int draws = 20000;
    MatrixXd precision = MatrixXd::Zero(3, 3), covariance = precision;
    VectorXd sum = VectorXd::Zero(3);
    const VectorXd expected_mean = static_cast<double>(n) * mean / (2.0 + n);
    const Executor exec(1);
    Rng rng(7);
    for (int i = 0; i < draws; ++i) {
      const RowPrior prior = draw_prior(rows, extra, rng, exec);
      const VectorXd off = prior.mean - expected_mean;
      precision += prior.precision / draws;
      sum += off / draws;
      covariance += off * off.transpose() / draws;
    }
    // Of the mean: its covariance is that of a t, E[precision^-1] / (2 + n).
    const MatrixXd scale = inverse_scale.inverse(), spread = inverse_scale / (freedom - 4) / (2.0 + n);
    for (Index i = 0; i < 3; ++i) {
      EXPECT_NEAR(sum[i], 0, 5 * std::sqrt(spread(i, i) / draws)) << i;
      for (Index j = 0; j < 3; ++j) {
        const double root = std::sqrt(freedom * (scale(i, j) * scale(i, j) + scale(i, i) * scale(j, j)) / draws);
        EXPECT_NEAR(precision(i, j), freedom * scale(i, j), 5 * root) << i << j;
        EXPECT_NEAR(covariance(i, j), spread(i, j), 0.06 * std::sqrt(spread(i, i) * spread(j, j))) << i << j;
      }
    }
  }
}

struct Half {
  Half(std::size_t d, bool shifted) : by_user(rated_rows(ratings(23, 19), 2.5, 1.25)), other(normal_rows(19, d, 3)) {
    side.name = "user";
    side.rows = side.expected = Matrix<float>::Zero(23, static_cast<Index>(d));
    side.prior = {normal_rows(1, d, 8).row(0).transpose().cast<double>(), some_precision(d, 10)};
    side.has_features = shifted;
    if (shifted) side.shift = normal_rows(23, d, 12);
  }
  RatedRows by_user;
  Matrix<float> other;
  BayesSide side;
};

// The mean of the conditional is the minimiser of a ridge regression, here by QR of the stacked equations, and the draw
// around it is U^-1 z in double for the same z.
TEST(Rows, AreDrawnAroundTheRidgeRegression) {
  const double alpha = 2.7;
  for (const std::size_t d : {2u, 7u, 16u, 17u, 32u}) {
    for (const bool shifted : {false, true}) {
      Half half(d, shifted);
      const double squares = draw_rows(half.side, half.by_user, half.other, alpha, Rng(77), 5, Executor(2));
      const auto dims = static_cast<Index>(d);
      const MatrixXd precision = half.side.prior.precision;
      const MatrixXd root = precision.llt().matrixU();
      double expected_squares = 0;
      for (std::size_t r = 0; r < half.by_user.rows(); ++r) {
        const auto row = static_cast<Index>(r), n = static_cast<Index>(half.by_user.count(r));
        VectorXd centre = half.side.prior.mean;
        if (shifted) centre += half.side.shift.row(row).transpose().cast<double>();
        MatrixXd stacked(n + dims, dims), design(n, dims);
        VectorXd right(n + dims), t(n);
        for (Index e = 0; e < n; ++e) {
          const Index item = half.by_user.columns_of(r)[static_cast<std::size_t>(e)];
          design.row(e) = half.other.row(item).cast<double>();
          design(e, dims - 1) = 1;
          t[e] =
              static_cast<double>(half.by_user.values_of(r)[static_cast<std::size_t>(e)] - half.other(item, dims - 1));
        }
        stacked << std::sqrt(alpha) * design, root;
        right << std::sqrt(alpha) * t, root * centre;
        const VectorXd solution = stacked.colPivHouseholderQr().solve(right);
        EXPECT_LE((half.side.expected.row(row).transpose().cast<double>() - solution).cwiseAbs().maxCoeff(), 2e-5) << d;

        std::vector<float> z(d);
        Rng(77).stream("user rows", 5, r).fill_normal(z, 0, 1);
        const MatrixXd a = precision + alpha * design.transpose() * design;
        const VectorXd noise =
            a.llt().matrixU().solve(VectorXd(Eigen::Map<const Eigen::VectorXf>(z.data(), dims).cast<double>()));
        const VectorXd drawn = half.side.rows.row(row).transpose().cast<double>();
        EXPECT_LE((drawn - solution - noise).cwiseAbs().maxCoeff(), 3e-5) << d;
        expected_squares += (t - design * drawn).squaredNorm();
      }
      EXPECT_NEAR(squares, expected_squares, 1e-4 * expected_squares);
    }
  }
}

// One Gibbs step over the features as it is written down: every feature's conditional from all residuals anew.
TEST(Features, AreDrawnLikeANaiveGibbsStep) {
  for (const std::size_t d : {3u, 16u, 21u}) {
    const Csr<ItemIdx> events = ratings(23, 19);
    const RatedRows by_user = rated_rows(events, 2.5, 1), by_item = rated_rows(events.transposed<UserIdx>(), 2.5, 1);
    BayesSide side;
    side.name = "user";
    side.rows = normal_rows(23, d, 14);
    side.has_features = true;
    side.features = normal_rows(19, d, 15);
    side.feature_ridge = 1.7;
    MatrixXd f = MatrixXd::Zero(23, 19);
    for (std::size_t r = 0; r < 23; ++r)
      for (std::uint32_t j : by_user.columns_of(r))
        f(static_cast<Index>(r), j) = 1 / std::sqrt(static_cast<double>(by_user.count(r)));
    side.features.row(18).setZero();  // no events
    side.shift = (f * side.features.cast<double>()).cast<float>();
    const BayesSide old = side;
    draw_side(side, by_user, by_item, Rng(31), 4, Executor(3));

    Rng hyper = Rng(31).stream("user prior", 4);
    const MatrixXd squares = old.features.cast<double>().transpose() * old.features.cast<double>();
    const RowPrior prior = draw_prior(old.rows - old.shift, {1.7 * squares, 18}, hyper, Executor(1));
    EXPECT_LE((side.prior.precision - prior.precision).cwiseAbs().maxCoeff(), 1e-4 * prior.precision.norm());
    EXPECT_LE((side.prior.mean - prior.mean).cwiseAbs().maxCoeff(), 1e-5);

    MatrixXd b = old.features.cast<double>();
    const MatrixXd upper = prior.precision.llt().matrixU();
    for (Index j = 0; j < 18; ++j) {
      const MatrixXd left = old.rows.cast<double>() - f * b;
      VectorXd evidence = f.col(j).squaredNorm() * b.row(j).transpose();
      for (Index r = 0; r < 23; ++r) evidence += f(r, j) * (left.row(r).transpose() - prior.mean);
      const double weight = f.col(j).squaredNorm() + 1.7;
      Rng draw = Rng(31).stream("user features", 4, static_cast<std::uint64_t>(j));
      Eigen::VectorXf z(static_cast<Index>(d));
      draw.fill_normal({z.data(), d}, 0, 1);
      b.row(j) = (evidence / weight +
                  VectorXd(upper.triangularView<Eigen::Upper>().solve(VectorXd(z.cast<double>()))) / std::sqrt(weight))
                     .transpose();
    }
    EXPECT_LE((side.features.cast<double>() - b).cwiseAbs().maxCoeff(), 3e-5) << d;
    EXPECT_LE((side.shift.cast<double>() - f * b).cwiseAbs().maxCoeff(), 3e-5) << d;
    double energy = 0;
    for (Index j = 0; j < 18; ++j) energy += b.row(j) * prior.precision * b.row(j).transpose();
    const double ridge = draw_gamma(1 + 18.0 * static_cast<double>(d) / 2, hyper) / (1 + energy / 2);
    EXPECT_NEAR(side.feature_ridge, ridge, 1e-4 * ridge);
  }
}

Registry registry() {
  Registry out;
  segue_register_algorithm_bayesian_mf(out);
  return out;
}

Value params(const char* implicit, int factors = 5, int epochs = 12) {
  return params_of({{"implicit", Value::string(implicit)},
                    {"factors", Value::integer(factors)},
                    {"epochs", Value::integer(epochs)},
                    {"burn_in", Value::real(0.34)},
                    {"samples", Value::integer(3)}});
}

std::vector<float> predictions(const Recommender& model, std::size_t users, std::size_t items) {
  std::vector<UserIdx> who;
  std::vector<ItemIdx> what;
  for (std::size_t u = 0; u <= users; ++u)
    for (std::size_t i = 0; i <= items; ++i)
      who.push_back(u < users ? user_at(u) : kNoUser), what.push_back(i < items ? item_at(i) : kNoItem);
  std::vector<float> out(who.size());
  model.ratings()->predict(who, what, out);
  return out;
}

TEST(BayesianMf, SameBitsForAnyThreadCount) {
  const Csr<ItemIdx> events = ratings(140, 90, 0.2);
  for (const char* implicit : {"none", "both"}) {
    const Fitted one = test::fit(registry(), "bayesian_mf", params(implicit, 18), events, 1);
    for (int threads : {2, 3, 8}) {
      const Fitted many = test::fit(registry(), "bayesian_mf", params(implicit, 18), events, threads);
      EXPECT_TRUE(same_bits(scores_of(*one.model, every_user(140)), scores_of(*many.model, every_user(140))))
          << threads;
      EXPECT_EQ(predictions(*one.model, 140, 90), predictions(*many.model, 140, 90)) << threads;
      EXPECT_EQ(one.curve.series, many.curve.series) << threads;
    }
    const Fitted other = test::fit(registry(), "bayesian_mf", params(implicit, 18), events, 1, 2);
    EXPECT_NE(predictions(*one.model, 140, 90), predictions(*other.model, 140, 90)) << "the seed matters";
  }
}

TEST(BayesianMf, BatchesCandidatesAndArchivesAgree) {
  const Fitted one = test::fit(registry(), "bayesian_mf", params("both"), ratings(40, 30));
  std::vector<Query> queries = every_user(40);
  queries.push_back({});
  test::expect_batches_agree(*one.model, queries);
  test::MemoryArchive archive;
  one.model->save(archive.writer());
  const auto again = registry().make("bayesian_mf", params("both"));
  again->load(archive.reader());
  EXPECT_TRUE(same_bits(scores_of(*one.model, queries), scores_of(*again, queries)));
  EXPECT_EQ(predictions(*one.model, 40, 30), predictions(*again, 40, 30));
}

// Scores are predicted ratings less what is the same for all items of a user, in standard deviations of the ratings.
TEST(BayesianMf, ScoresOrderAsPredictionsDo) {
  const Csr<ItemIdx> events = ratings(40, 30);
  double sum = 0, squares = 0;
  for (float w : events.all_values()) sum += static_cast<double>(w), squares += static_cast<double>(w * w);
  const double n = static_cast<double>(events.nnz()), deviation = std::sqrt(squares / n - sum / n * sum / n);
  const Fitted one = test::fit(registry(), "bayesian_mf", params("users"), events);
  std::vector<Query> queries = every_user(41);
  queries.back().user = kNoUser;
  const Matrix<float> scores = scores_of(*one.model, queries);
  const std::vector<float> predicted = predictions(*one.model, 40, 30);
  int compared = 0;
  for (Index u = 0; u < scores.rows(); ++u) {
    for (Index i = 1; i < scores.cols(); ++i) {
      const auto at = static_cast<std::size_t>(u * 31 + i);
      const float a = predicted[at], b = predicted[at - 1];
      ASSERT_TRUE(a >= 1 && a <= 5 && b >= 1 && b <= 5);
      if (a == 1 || a == 5 || b == 1 || b == 5) continue;  // clipped
      EXPECT_NEAR(a - b, deviation * static_cast<double>(scores(u, i) - scores(u, i - 1)), 2e-5);
      ++compared;
    }
  }
  EXPECT_GT(compared, 500);
}

// Ratings made by the model itself: the noise is found, and predictions of other ratings are nearly as good as they can
// be. Without implicit features, since these rows owe nothing to what was rated.
TEST(BayesianMf, RecoversTheModelThatMadeTheRatings) {
  const std::size_t users = 220, items = 160, d = 3;
  const Matrix<float> x = normal_rows(users, d, 41, 0.8f), y = normal_rows(items, d, 42, 0.8f);
  const Matrix<float> bias = normal_rows(1, users + items, 43, 0.5f);
  const double noise = 0.4;
  Rng rng(44);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns, hidden_items;
  std::vector<UserIdx> hidden_users;
  std::vector<float> weights, hidden;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; i < items; ++i) {
      const double chance = rng.uniform(),
                   clean = 10 +
                           static_cast<double>(bias(0, static_cast<Index>(u)) + bias(0, static_cast<Index>(users + i)) +
                                               x.row(static_cast<Index>(u)).dot(y.row(static_cast<Index>(i))));
      const auto rating = static_cast<float>(clean + noise * rng.normal());
      if (chance < 0.3) columns.push_back(item_at(i)), weights.push_back(rating);
      if (chance > 0.9)
        hidden_users.push_back(user_at(u)), hidden_items.push_back(item_at(i)), hidden.push_back(rating);
    }
    offsets.push_back(columns.size());
  }
  const Csr<ItemIdx> events{items, std::move(offsets), std::move(columns), std::move(weights)};
  const Value settings = params_of({{"implicit", Value::string("none")},
                                    {"factors", Value::integer(7)},  // four of them have nothing to say
                                    {"epochs", Value::integer(150)},
                                    {"burn_in", Value::real(0.3)}});
  const Fitted one = test::fit(registry(), "bayesian_mf", settings, events, 2);
  EXPECT_NEAR(one.curve.series.at("noise").back(), noise, 0.03);
  std::vector<float> predicted(hidden.size());
  one.model->ratings()->predict(hidden_users, hidden_items, predicted);
  double squares = 0;
  for (std::size_t n = 0; n < hidden.size(); ++n) squares += std::pow(double{predicted[n]} - double{hidden[n]}, 2);
  const double rmse = std::sqrt(squares / static_cast<double>(hidden.size()));
  EXPECT_GT(rmse, 0.95 * noise);
  EXPECT_LT(rmse, 1.12 * noise);
}

// Early stopping brings back the mean of the samples kept by the best sweep, whether it lies in the burn-in or not.
TEST(BayesianMf, StoppingRestoresTheBestMean) {
  for (const int best : {2, 7}) {
    const Executor exec(1);
    const Interactions train(ratings(40, 30));
    const Histories histories;
    const Facets facets;
    test::Curve curve;
    const auto model = registry().make("bayesian_mf", params("both"));
    std::vector<std::vector<float>> seen;
    FitContext ctx{exec, Rng(1), curve};
    ctx.validate = [&](const Recommender& present) {
      seen.push_back(predictions(present, 40, 30));
      return -std::abs(static_cast<double>(seen.size()) - best);
    };
    ctx.stopping = {.patience = 3, .every = 1};
    model->fit({train, histories, facets}, ctx);
    ASSERT_EQ(seen.size(), static_cast<std::size_t>(best) + 3);
    EXPECT_EQ(predictions(*model, 40, 30), seen[static_cast<std::size_t>(best) - 1]);
    EXPECT_NE(seen.back(), seen[static_cast<std::size_t>(best) - 1]);
  }
}

// One sweep is enough for a model, and the defaults suit any number of them.
TEST(BayesianMf, KeepsASampleHoweverFewTheEpochs) {
  for (int epochs : {1, 2, 3, 11}) {
    const Fitted one =
        test::fit(registry(), "bayesian_mf",
                  params_of({{"epochs", Value::integer(epochs)}, {"burn_in", Value::real(0.99)}}), ratings(40, 30));
    EXPECT_EQ(one.model->embeddings()->item_vectors().cols(), 31) << "one sample of the default's 31 factors";
    EXPECT_GT(scores_of(*one.model, every_user(40)).cwiseAbs().maxCoeff(), 0);
  }
}

}  // namespace
}  // namespace segue
