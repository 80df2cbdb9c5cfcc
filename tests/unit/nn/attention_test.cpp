#include "framework/nn/attention.hpp"

#include <cmath>
#include <cstring>
#include <utility>

#include "tests/unit/nn/layer_check.hpp"

namespace segue::nn {
namespace {

using test::LayerCheck;

const std::vector<std::uint32_t> kBegins = {0, 1, 4, 33, 93};  // lengths 1, 3, 29, 60: several blocks of rows
constexpr std::size_t kTokens = 93, kDims = 12;

struct Case {
  std::size_t heads;
  bool causal;
  double rate;
  friend void PrintTo(const Case& c, std::ostream* out) {
    *out << c.heads << (c.causal ? " heads, causal" : " heads") << ", dropout " << c.rate;
  }
};
class Attention : public testing::TestWithParam<Case> {
 protected:
  AttentionShape shape() const { return {GetParam().heads, GetParam().causal}; }
};

template <class T>
Matrix<T> random(std::size_t rows, std::size_t cols, std::uint64_t seed, double stddev = 1) {
  Matrix<T> out(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  init_normal(View<T>(out), stddev, Rng(seed));
  return out;
}

// One pair of positions after the other.
Matrix<double> slow(const AttentionShape& shape, const Matrix<double>& q, const Matrix<double>& k,
                    const Matrix<double>& v) {
  Matrix<double> out = Matrix<double>::Zero(q.rows(), q.cols());
  const Eigen::Index cols = q.cols() / static_cast<Eigen::Index>(shape.heads);
  for (std::size_t s = 0; s + 1 < kBegins.size(); ++s)
    for (Eigen::Index h = 0; h < static_cast<Eigen::Index>(shape.heads); ++h)
      for (Eigen::Index i = kBegins[s]; i < Eigen::Index{kBegins[s + 1]}; ++i) {
        const Eigen::Index last = shape.causal ? i : Eigen::Index{kBegins[s + 1]} - 1;
        double total = 0;
        for (Eigen::Index j = kBegins[s]; j <= last; ++j) {
          double logit = 0;
          for (Eigen::Index c = h * cols; c < (h + 1) * cols; ++c) logit += q(i, c) * k(j, c);
          const double weight = std::exp(logit / std::sqrt(static_cast<double>(cols)));
          total += weight;
          for (Eigen::Index c = h * cols; c < (h + 1) * cols; ++c) out(i, c) += weight * v(j, c);
        }
        for (Eigen::Index c = h * cols; c < (h + 1) * cols; ++c) out(i, c) /= total;
      }
  return out;
}

TEST_P(Attention, IsWhatItsFormulaSays) {
  const Matrix<double> q = random<double>(kTokens, kDims, 1), k = random<double>(kTokens, kDims, 2),
                       v = random<double>(kTokens, kDims, 3);
  const Matrix<double> expected = slow(shape(), q, k, v);
  Matrix<double> out = q;
  AttentionCache<double> cache;
  attention_forward<double>(shape(), kBegins, q, k, v, out, cache, 0.5, nullptr);
  EXPECT_LT((out - expected).cwiseAbs().maxCoeff(), 1e-12);

  // In float, of columns of a wider matrix, and with logits far from zero.
  Matrix<float> wide(kTokens, 3 * kDims), out_f(kTokens, kDims);
  wide << q.cast<float>() * 20, k.cast<float>() * 20, v.cast<float>();
  const View<float> all(wide);
  AttentionCache<float> cache_f;
  attention_forward<float>(shape(), kBegins, all.some_cols(0, kDims), all.some_cols(kDims, 2 * kDims),
                           all.some_cols(2 * kDims, 3 * kDims), out_f, cache_f, 0, nullptr);
  const Matrix<double> far =
      slow(shape(), wide.leftCols(kDims).cast<double>(), wide.middleCols(kDims, kDims).cast<double>(), v);
  EXPECT_LT((out_f.cast<double>() - far).cwiseAbs().maxCoeff(), 2e-4);
}

TEST_P(Attention, HasTheGradientOfItsFormula) {
  LayerCheck check(7);
  const BlockId q = check.add("q", kTokens, kDims), k = check.add("k", kTokens, kDims),
                v = check.add("v", kTokens, kDims);
  check.draw();
  auto &p = check.store, &g = check.gradients;
  AttentionCache<double> cache;
  Matrix<double> out(kTokens, kDims);
  const Rng rng(9);
  const double rate = GetParam().rate;
  check.run(
      std::string("attention") + (shape().causal ? ", causal" : "") + (rate > 0 ? ", dropout" : ""), kTokens, kDims,
      [&](View<double> y) {
        attention_forward<double>(shape(), kBegins, p[q], p[k], p[v], y, cache, rate, &rng);
        std::copy_n(y.data, y.size(), out.data());
      },
      [&](View<double> dy) {
        attention_backward<double>(shape(), kBegins, p[q], p[k], p[v], out, dy, cache, g[q], g[k], g[v]);
        const ParamStore<float> pf = p.as<float>();
        ParamStore<float> gf = g.zeros_like().as<float>();
        const Matrix<float> dy_f = Eigen::Map<Matrix<double>>(dy.data, kTokens, kDims).cast<float>();
        Matrix<float> out_f(kTokens, kDims);
        AttentionCache<float> cache_f;
        attention_forward<float>(shape(), kBegins, pf[q], pf[k], pf[v], out_f, cache_f, rate, &rng);
        attention_backward<float>(shape(), kBegins, pf[q], pf[k], pf[v], out_f, dy_f, cache_f, gf[q], gf[k], gf[v]);
        for (std::size_t i = 0; i < g.size(); ++i) ASSERT_NEAR(double{gf.all()[i]}, g.all()[i], 2e-5) << i;
      });
}

// A sequence's rows are the same bits alone and among others; and the last row when only that is asked for.
TEST_P(Attention, DoesNotDependOnTheOtherSequences) {
  const Matrix<float> q = random<float>(kTokens, kDims, 1), k = random<float>(kTokens, kDims, 2),
                      v = random<float>(kTokens, kDims, 3);
  Matrix<float> together = q, alone = q;
  AttentionCache<float> cache;
  attention_forward<float>(shape(), kBegins, q, k, v, together, cache, 0, nullptr);
  const View<const float> vq(q), vk(k), vv(v);
  for (std::size_t s = 0; s + 1 < kBegins.size(); ++s) {
    const std::size_t begin = kBegins[s], end = kBegins[s + 1];
    const std::vector<std::uint32_t> own = {0, static_cast<std::uint32_t>(end - begin)};
    attention_forward<float>(shape(), own, vq.some_rows(begin, end), vk.some_rows(begin, end), vv.some_rows(begin, end),
                             View<float>(alone).some_rows(begin, end), cache, 0, nullptr);
    Matrix<float> last(1, kDims);
    attention_last<float>(shape(), vq.some_rows(end - 1, end), vk.some_rows(begin, end), vv.some_rows(begin, end), last,
                          cache);
    EXPECT_EQ(std::memcmp(last.data(), together.row(static_cast<Eigen::Index>(end) - 1).data(), kDims * sizeof(float)),
              0)
        << s;
  }
  EXPECT_EQ(std::memcmp(alone.data(), together.data(), kTokens * kDims * sizeof(float)), 0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention,
                         testing::Values(Case{1, true, 0}, Case{3, true, 0}, Case{1, false, 0}, Case{2, false, 0},
                                         Case{2, true, 0.3}, Case{1, false, 0.3}));

TEST(Attention, RefusesShapesThatDoNotFit) {
  Matrix<float> x(3, 4), y(3, 4);
  AttentionCache<float> cache;
  const std::vector<std::uint32_t> begins = {0, 3}, short_of = {0, 2};
  EXPECT_THROW(attention_forward<float>({3, true}, begins, x, x, x, y, cache, 0, nullptr), LogicError);
  EXPECT_THROW(attention_forward<float>({2, true}, short_of, x, x, x, y, cache, 0, nullptr), LogicError);
}

}  // namespace
}  // namespace segue::nn
