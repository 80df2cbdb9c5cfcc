// What every model that is trained in epochs promises (framework/model/iterative.hpp): interrupted behind any epoch and
// resumed by a fresh object, it ends with the bits of an undisturbed fit.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "framework/base/hash.hpp"
#include "tests/contract/subjects.hpp"
#include "tests/contract/world.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/support/memory_checkpoints.hpp"

namespace segue::test {
namespace {

// As jagged as a metric can be, and another one where a single bit of a score is.
double any_metric(const Recommender& model, std::span<const Query> queries) {
  const Matrix<float> scores = scores_of(model, queries);
  Hasher hasher;
  hasher.bytes(scores.data(), static_cast<std::size_t>(scores.size()) * sizeof(float));
  return static_cast<double>(hasher.low64() % 1000);
}

class Resumed : public testing::TestWithParam<Subject> {
 protected:
  Resumed() : fold_(make_world({.ratings = learns_ratings(GetParam())})), questions_(fold_) {}

  Fitted fit(StoppingPolicy stopping, Checkpoints* checkpoints, int threads = 1) const {
    const Executor exec(threads);
    Fitted out{make(GetParam()), {}};
    FitContext ctx{exec, Rng(3).stream(GetParam().algorithm), out.curve};
    ctx.checkpoints = checkpoints;
    ctx.stopping = stopping;
    ctx.validate = [&](const Recommender& model) { return any_metric(model, questions_.queries); };
    out.model->fit({fold_.train, fold_.train_histories, fold_.facets}, ctx);
    return out;
  }

  // The resumed one has the end of the curve.
  void expect_same(const Fitted& resumed, const Fitted& whole, const std::string& when) const {
    EXPECT_TRUE(same_bits(scores_of(*resumed.model, questions_.queries), scores_of(*whole.model, questions_.queries)))
        << "scores differ " << when;
    MemoryArchive a, b;
    resumed.model->save(a.writer());
    whole.model->save(b.writer());
    EXPECT_TRUE(a == b) << "what is stored differs " << when;
    for (const auto& [series, values] : resumed.curve.series) {
      const std::vector<double>& all = whole.curve.series.at(series);
      ASSERT_LE(values.size(), all.size()) << series << " " << when;
      EXPECT_TRUE(std::equal(values.rbegin(), values.rend(), all.rbegin())) << series << " differs " << when;
    }
  }

  void check(StoppingPolicy stopping) const {
    MemoryCheckpoints counter;
    const Fitted whole = fit(stopping, &counter);
    const int last = counter.asked;
    ASSERT_GT(last, 0) << "nobody was asked for a checkpoint";
    MemoryCheckpoints checkpoints({1, std::max(1, last / 2), last});
    expect_same(fit(stopping, &checkpoints), whole, "where somebody keeps checkpoints");
    for (const auto& [epoch, state] : checkpoints.kept()) {
      MemoryCheckpoints again = checkpoints;
      again.resume_behind(epoch);
      again.asked = 0;
      expect_same(fit(stopping, &again, 1 + epoch % 3), whole, "when resumed behind epoch " + std::to_string(epoch));
      EXPECT_EQ(again.asked, last - epoch) << "epochs that were run";
    }
  }

  PreparedFold fold_;
  Questions questions_;
};

TEST_P(Resumed, EndsWithTheBitsOfAnUndisturbedFit) { check({}); }

TEST_P(Resumed, StopsWhereAnUndisturbedFitStops) { check({.patience = 3, .every = 2}); }

INSTANTIATE_TEST_SUITE_P(Algorithm, Resumed,
                         testing::ValuesIn(subjects_that([](const Subject& s) { return entry_of(s).info.iterative; })),
                         name_of);

}  // namespace
}  // namespace segue::test
