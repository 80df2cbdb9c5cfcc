// sasrec and bert4rec on sequences whose next item is known: everybody walks round a ring of items, so only the order
// of events tells what comes next.
#include <algorithm>
#include <cmath>
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/model/registry.hpp"
#include "tests/support/fitted.hpp"

extern "C" {
void segue_register_algorithm_bert4rec(segue::Registry&);
void segue_register_algorithm_sasrec(segue::Registry&);
}

namespace segue {
namespace {

using test::params_of;
using testing::HasSubstr;

constexpr std::uint32_t kItems = 17, kUsers = 60, kLength = 9;
// One way round for odd users, the other for even ones.
std::uint32_t next_of(std::uint32_t user, std::uint32_t item) {
  return (item + (user % 2 == 0 ? 1 : kItems - 1)) % kItems;
}

struct Ring {
  Ring() {
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> items;
    std::vector<std::uint64_t> rows{0};
    std::vector<ItemIdx> columns;
    for (std::uint32_t u = 0; u < kUsers; ++u) {
      std::uint32_t item = u * 5 % kItems;
      std::vector<std::uint32_t> own;
      for (std::uint32_t n = 0; n < kLength; ++n, item = next_of(u, item)) {
        items.push_back(ItemIdx{item});
        own.push_back(item);
      }
      std::sort(own.begin(), own.end());
      for (const std::uint32_t i : own) columns.push_back(ItemIdx{i});
      offsets.push_back(items.size());
      rows.push_back(columns.size());
    }
    const std::size_t n = items.size();
    train = Interactions(Csr<ItemIdx>(kItems, std::move(rows), std::move(columns), {}));
    histories = Histories(std::move(offsets), std::move(items), std::vector<std::int64_t>(n),
                          std::vector<float>(n, 1.0f), {}, std::vector<std::uint32_t>(n));
  }
  Interactions train;
  Histories histories;
};

const Registry& registry() {
  static const Registry all = [] {
    Registry r;
    segue_register_algorithm_bert4rec(r);
    segue_register_algorithm_sasrec(r);
    return r;
  }();
  return all;
}

using Params = std::vector<std::pair<std::string, Value>>;

// The share of histories, seven events of a new user, after which the right item has the highest score.
double learned(const std::string& algorithm, Params params, test::Curve& curve) {
  const Ring ring;
  const Facets facets;
  const Executor exec(2);
  params.insert(params.begin(), {{"factors", Value::integer(16)},
                                 {"dropout", Value::real(0.1)},
                                 {"init_stddev", Value::real(0.2)},
                                 {"max_length", Value::integer(8)},
                                 {"learning_rate", Value::real(0.01)},
                                 {"batch_size", Value::integer(16)}});
  const auto model = registry().make(algorithm, params_of(params));
  FitContext ctx{exec, Rng(1), curve};
  model->fit({ring.train, ring.histories, facets}, ctx);
  double right = 0;
  for (std::uint32_t u = 0; u < 2 * kItems; ++u) {
    std::vector<ItemIdx> history{ItemIdx{u / 2}};
    while (history.size() < 7) history.push_back(ItemIdx{next_of(u, static_cast<std::uint32_t>(raw(history.back())))});
    Query query;
    query.history = history;
    const Matrix<float> scores = test::scores_of(*model, {&query, 1});
    Eigen::Index best = 0;
    scores.row(0).maxCoeff(&best);
    right += best == Eigen::Index{next_of(u, static_cast<std::uint32_t>(raw(history.back())))};
  }
  return right / (2 * kItems);
}

struct Case {
  const char* name;
  const char* algorithm;
  Params params;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class Ordered : public testing::TestWithParam<Case> {};

TEST_P(Ordered, LearnsWhatComesNext) {
  test::Curve curve;
  EXPECT_GT(learned(GetParam().algorithm, GetParam().params, curve), 0.9);
  const std::vector<double>& loss = curve.series.at("loss");
  EXPECT_LT(loss.back(), 0.7 * loss.front());
}

Value text(const char* value) { return Value::string(value); }

INSTANTIATE_TEST_SUITE_P(
    Models, Ordered,
    testing::Values(
        Case{"SasrecBce", "sasrec", {{"epochs", Value::integer(60)}, {"exclude_history", Value::boolean(false)}}},
        Case{"SasrecPostNormSoftmax",
             "sasrec",
             {{"epochs", Value::integer(40)}, {"loss", text("softmax")}, {"norm", text("post")}}},
        Case{"SasrecSampledSoftmax",
             "sasrec",
             {{"epochs", Value::integer(40)},
              {"loss", text("sampled_softmax")},
              {"shared_negatives", Value::boolean(true)},
              {"negatives", Value::integer(12)},
              {"alpha", Value::real(0.5)},
              {"exclude_history", Value::boolean(false)}}},
        Case{"SasrecGbce",
             "sasrec",
             {{"epochs", Value::integer(40)},
              {"loss", text("gbce")},
              {"negatives", Value::integer(4)},
              {"exclude_history", Value::boolean(false)},
              {"window_stride", Value::integer(4)},
              {"clip_norm", Value::real(5)},
              {"optimizer", text("adamw")},
              {"weight_decay", Value::real(0.01)}}},
        Case{"Bert4Rec",
             "bert4rec",
             {{"epochs", Value::integer(300)},
              {"learning_rate", Value::real(0.003)},
              {"dropout", Value::real(0)},
              {"mask", Value::real(0.3)},
              {"layers", Value::integer(2)},
              {"last_only", Value::real(0.3)}}}),
    [](const auto& one) { return one.param.name; });

TEST(AttentionModels, RefuseHeadsThatDoNotDivide) {
  for (const char* name : {"sasrec", "bert4rec"}) {
    try {
      registry().make(name, params_of({{"factors", Value::integer(10)}, {"heads", Value::integer(4)}}));
      ADD_FAILURE() << name;
    } catch (const UsageError& e) {
      EXPECT_THAT(e.what(), HasSubstr("factors = 10 do not divide into heads = 4")) << name;
    }
  }
  EXPECT_THROW(registry().make("bert4rec", params_of({{"max_length", Value::integer(1)}})), UsageError);
}

}  // namespace
}  // namespace segue
