// Algorithms that are made of others, against their parts and against values worked out by hand.
#include <cmath>

#include <gmock/gmock.h>

#include "algorithms/two_stage/stage_features.hpp"
#include "framework/model/components.hpp"
#include "framework/model/inner_split.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/messages.hpp"

extern "C" {
void segue_register_algorithm_blend(segue::Registry&);
void segue_register_algorithm_content_to_cf(segue::Registry&);
void segue_register_algorithm_item_knn(segue::Registry&);
void segue_register_algorithm_popular(segue::Registry&);
void segue_register_algorithm_pure_svd(segue::Registry&);
void segue_register_algorithm_two_stage(segue::Registry&);
}

namespace segue::test {
namespace {

using testing::ElementsAre;

constexpr std::size_t kUsers = 40, kItems = 24, kCold = 4;  // the last items have no events
constexpr float kInf = std::numeric_limits<float>::infinity();

const Registry& hybrids() {
  static const Registry all = [] {
    Registry r;
    segue_register_algorithm_blend(r);
    segue_register_algorithm_content_to_cf(r);
    segue_register_algorithm_item_knn(r);
    segue_register_algorithm_popular(r);
    segue_register_algorithm_pure_svd(r);
    segue_register_algorithm_two_stage(r);
    return r;
  }();
  return all;
}

// Two camps, as in camps.hpp, with times; even items bear tag 0, odd ones tag 1, and each a tag of its own.
struct World {
  Interactions train;
  Histories histories;
  Facets facets;
  World() {
    Rng rng(3);
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> items, shuffled;
    std::vector<std::int64_t> times;
    for (std::size_t u = 0; u < kUsers; ++u) {
      std::vector<ItemIdx> own;
      for (std::size_t i = 0; i + kCold < kItems; ++i)
        if (rng.uniform() < (u % 2 == i % 2 ? 0.7 : 0.1)) own.push_back(item_at(i));
      items.insert(items.end(), own.begin(), own.end());
      rng.shuffle(std::span(own));
      for (std::size_t e = 0; e < own.size(); ++e) times.push_back(static_cast<std::int64_t>(1000 * e + u));
      shuffled.insert(shuffled.end(), own.begin(), own.end());
      offsets.push_back(items.size());
    }
    const std::size_t n = items.size();
    train = Interactions(Csr<ItemIdx>(kItems, std::vector(offsets), std::move(items), std::vector<float>(n, 1)));
    histories = Histories(std::move(offsets), std::move(shuffled), std::move(times), std::vector<float>(n, 1),
                          std::vector<EventKind>(n, EventKind::kPlay), std::vector<std::uint32_t>(n, 0));
    auto tags = std::make_shared<ItemTags>();
    std::vector<std::uint64_t> tag_offsets{0};
    std::vector<TermIdx> terms;
    std::vector<std::string> names{"even", "odd"};
    for (std::size_t i = 0; i < kItems; ++i) {
      terms.push_back(TermIdx{static_cast<std::uint32_t>(i % 2)});
      terms.push_back(TermIdx{static_cast<std::uint32_t>(2 + i)});
      names.push_back("own" + std::to_string(i));
      tag_offsets.push_back(terms.size());
    }
    tags->weights =
        Csr<TermIdx>(2 + kItems, std::move(tag_offsets), std::move(terms), std::vector<float>(2 * kItems, 1));
    tags->tags = StringTable(names);
    facets.add(tags);
  }
  TrainData data() const { return {train, histories, facets}; }
};

std::unique_ptr<Recommender> fitted(const World& world, const std::string& name, const Value& params, int threads = 1) {
  const Executor exec(threads);
  Progress silent;
  FitContext ctx{exec, Rng(5), silent};
  auto model = hybrids().make(name, params);
  model->fit(world.data(), ctx);
  return model;
}

Value given(const char* json) { return Value::from_json(json); }

TEST(Blend, IsTheWeightedSumOfStandardisedScores) {
  const World world;
  const auto blend =
      fitted(world, "blend", given(R"({"of": ["popular", "item_knn"], "method": "weighted", "weights": [0.5, 2]})"));
  const auto popular = fitted(world, "popular", Value::map()), knn = fitted(world, "item_knn", Value::map());
  const std::vector<Query> queries = every_user(kUsers);
  const Matrix<float> got = scores_of(*blend, queries), a = scores_of(*popular, queries), b = scores_of(*knn, queries);
  const auto standard = [](const Matrix<float>& scores, Eigen::Index u, Eigen::Index i) {
    const Eigen::VectorXd row = scores.row(u).cast<double>().transpose();
    const double deviation = std::sqrt((row.array() - row.mean()).square().mean());
    return (row[i] - row.mean()) / deviation;
  };
  for (Eigen::Index u = 0; u < got.rows(); ++u)
    for (Eigen::Index i = 0; i < got.cols(); ++i)
      EXPECT_NEAR(static_cast<double>(got(u, i)), 0.5 * standard(a, u, i) + 2 * standard(b, u, i), 1e-5);
}

TEST(Blend, FusesRanksAmongWhatIsNew) {
  const World world;
  const auto blend =
      fitted(world, "blend", given(R"({"of": ["popular", "item_knn"], "method": "rrf", "smoothing": 10})"));
  const auto popular = fitted(world, "popular", Value::map()), knn = fitted(world, "item_knn", Value::map());
  for (std::size_t u = 0; u < kUsers; ++u) {
    const HistoryView history = world.histories[u];
    const std::vector<Query> query{{.user = user_at(u), .history = history.items}};
    const Matrix<float> got = scores_of(*blend, query), a = scores_of(*popular, query), b = scores_of(*knn, query);
    for (Eigen::Index i = 0; i < got.cols(); ++i) {
      double expected = 0;
      for (const Matrix<float>* of : {&a, &b}) {
        int above = 0;
        for (Eigen::Index j = 0; j < got.cols(); ++j)
          above += (*of)(0, j) > (*of)(0, i) &&
                   std::ranges::find(history.items, item_at(static_cast<std::size_t>(j))) == history.items.end();
        expected += 1 / (10.0 + 1 + above);
      }
      EXPECT_NEAR(static_cast<double>(got(0, i)), expected, 1e-6);
    }
  }
}

TEST(Blend, LearnsToPreferWhoKnowsTheListener) {
  const World world;
  const auto learned =
      fitted(world, "blend", given(R"({"of": ["popular", "item_knn"], "holdout": 0.3, "holdout_by": "user"})"));
  const auto same =
      fitted(world, "blend", given(R"({"of": ["popular", "item_knn"], "holdout": 0.3, "holdout_by": "user"})"), 3);
  const Matrix<float> scores = scores_of(*learned, every_user(kUsers));
  EXPECT_TRUE(same_bits(scores, scores_of(*same, every_user(kUsers))));
  double own = 0, other = 0;  // mean scores of the two camps' items
  for (Eigen::Index u = 0; u < scores.rows(); ++u)
    for (Eigen::Index i = 0; i + static_cast<Eigen::Index>(kCold) < scores.cols(); ++i)
      (u % 2 == i % 2 ? own : other) += static_cast<double>(scores(u, i));
  EXPECT_GT(own, other);
}

TEST(ContentToCf, KeepsTheTeachersVectorsOfWhatIsHeard) {
  const World world;
  const Value params = given(R"({"teacher": {"pure_svd": {"factors": 4}}, "min_df": 1, "words": 0, "artist": 0})");
  const auto model = fitted(world, "content_to_cf", params);
  const Executor exec(1);
  Progress silent;
  FitContext ctx{exec, Rng(5), silent};
  const auto teacher = fit_component(hybrids().component(hybrids().find("content_to_cf").components(params).front()), 0,
                                     world.data(), ctx);
  const Matrix<float>& got = model->embeddings()->item_vectors();
  const Matrix<float>& taught = teacher->embeddings()->item_vectors();
  const auto heard = static_cast<Eigen::Index>(kItems - kCold);
  EXPECT_TRUE(same_bits(got.topRows(heard), taught.topRows(heard)));
  // Cold items know their camp's tag alone: those of one camp are alike, and liked by its listeners.
  EXPECT_LT((got.row(heard) - got.row(heard + 2)).norm(), 1e-4f * got.row(heard).norm());
  const Matrix<float> scores = scores_of(*model, every_user(kUsers));
  for (Eigen::Index u = 0; u < scores.rows(); ++u)
    EXPECT_GT(scores(u, heard + u % 2), scores(u, heard + 1 - u % 2)) << u;
}

// With a penalty that says nothing, tags of their own explain every vector.
TEST(ContentToCf, ExplainsVectorsByContent) {
  const World world;
  const auto model = fitted(
      world, "content_to_cf",
      given(
          R"({"teacher": {"pure_svd": {"factors": 4}}, "min_df": 1, "words": 0, "artist": 0, "reg": 1e-6, "replace": "all"})"));
  const auto teacher =
      fitted(world, "content_to_cf",
             given(R"({"teacher": {"pure_svd": {"factors": 4}}, "min_df": 1, "words": 0, "artist": 0})"));
  const auto heard = static_cast<Eigen::Index>(kItems - kCold);
  const Matrix<float> difference =
      model->embeddings()->item_vectors().topRows(heard) - teacher->embeddings()->item_vectors().topRows(heard);
  EXPECT_LT(difference.cwiseAbs().maxCoeff(), 1e-4f);
  EXPECT_EQ(
      message_of<UsageError>([&] { fitted(world, "content_to_cf", given(R"({"teacher": "popular", "min_df": 1})")); }),
      "content_to_cf learns vectors, and its teacher 'popular' has none; take for example implicit_als");
}

TEST(TwoStage, TellsItsRankerWhatItSays) {
  Facets facets;
  auto artists = std::make_shared<ItemArtist>();
  artists->artist_of = std::vector<std::uint32_t>{0, 1, 0, kNoArtist, 1};
  artists->artists = StringTable({"a", "b"});
  facets.add(artists);
  auto release = std::make_shared<ItemRelease>();
  release->released = std::vector<std::int64_t>{0, 86400, ItemRelease::kUnknown, 10 * 86400, 0};
  facets.add(release);
  const Interactions train(Csr<ItemIdx>(5, std::vector<std::uint64_t>{0, 2, 3},
                                        std::vector<ItemIdx>{item_at(0), item_at(1), item_at(1)},
                                        std::vector<float>{1, 1, 1}));
  const Histories none;
  StageFeatures features({"x", "y"}, 2, false);
  features.learn({train, none, facets});
  EXPECT_THAT(features.names(), ElementsAre("x score", "x rank", "y score", "y rank", "popularity", "unheard", "artist",
                                            "artist in session", "times heard", "days since release"));
  const std::vector<ItemIdx> history{item_at(1), item_at(0), item_at(0)};
  const Query query{.user = user_at(0), .history = history, .now = 5 * 86400, .session_begin = 1};
  Matrix<float> scores(2, 5);
  scores << 9, 9, 3, 1, 2,  //
      0, 0, -kInf, 4, -kInf;
  const Candidates c = features.of(query, scores);
  EXPECT_THAT(c.items, ElementsAre(item_at(2), item_at(3), item_at(4)));  // 0 and 1 were heard
  EXPECT_THAT(c.from, ElementsAre(1, 0, 0, 1, 1, 0));
  const float second = static_cast<float>(1 - std::log(2.0) / std::log(4.0));
  const std::vector<std::vector<float>> expected{
      {std::sqrt(1.5f), 1, -2, 0, 0, 1, 2 / 3.0f, 1, 0, -1},
      {-std::sqrt(1.5f), 0, 0, 1, 0, 1, 0, 0, 0, 0},  // not out yet counts as out today
      {0, second, -2, 0, 0, 1, 1 / 3.0f, 0, 0, std::log1p(5.0f)}};
  for (std::size_t r = 0; r < expected.size(); ++r)
    for (std::size_t f = 0; f < expected[r].size(); ++f)
      EXPECT_NEAR(c.rows(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(f)), expected[r][f], 1e-6f)
          << r << " " << features.names()[f];
}

TEST(TwoStage, RanksTheCampsAndSaysWhenItCannotLearn) {
  const World world;
  const auto model =
      fitted(world, "two_stage",
             given(R"({"retrievers": ["item_knn", "item_knn", "popular"], "holdout": 0.3, "holdout_by": "user"})"));
  std::size_t judged = 0;
  for (std::size_t u = 0; u < kUsers; ++u) {
    const HistoryView history = world.histories[u];
    const std::vector<Query> query{{.user = user_at(u), .history = history.items, .now = 1'000'000}};
    const Matrix<float> scores = scores_of(*model, query);
    double own = 0, other = 0, n = 0, m = 0;  // of items that are new
    for (std::size_t i = 0; i + kCold < kItems; ++i) {
      if (std::ranges::find(history.items, item_at(i)) != history.items.end()) continue;
      (u % 2 == i % 2 ? own : other) += static_cast<double>(scores(0, static_cast<Eigen::Index>(i)));
      (u % 2 == i % 2 ? n : m) += 1;
    }
    if (n == 0 || m == 0) continue;  // has heard the whole camp
    EXPECT_GT(own / n, other / m) << u;
    ++judged;
  }
  EXPECT_GT(judged, kUsers / 2);
  World without;
  without.histories =
      Histories(std::vector<std::uint64_t>(kUsers + 1, 0), std::vector<ItemIdx>{}, std::vector<std::int64_t>{},
                std::vector<float>{}, std::vector<EventKind>{}, std::vector<std::uint32_t>{});
  EXPECT_THAT(
      message_of<UsageError>([&] { fitted(without, "two_stage", Value::from_json(R"({"retrievers": ["popular"]})")); }),
      testing::HasSubstr("nobody has training events on both sides of the cut"));
}

}  // namespace
}  // namespace segue::test
