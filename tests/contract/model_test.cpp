// What every fitted model promises (framework/model/recommender.hpp): every score written, the same bits however it is
// asked, fitted and stored, and nothing learned from what it must not see.
#include <cmath>
#include <cstring>
#include <optional>

#include <gtest/gtest.h>

#include "framework/linalg/scoring.hpp"
#include "framework/model/h5_archive.hpp"
#include "framework/model/recommend.hpp"
#include "framework/model/stages.hpp"
#include "tests/contract/subjects.hpp"
#include "tests/contract/world.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// Everything that can be asked of a model, as numbers.
struct Answers {
  Matrix<float> scores;
  std::vector<float> ratings;  // of every user (and two unknown ones) and every item (and an unknown one)
  std::vector<float> vectors;  // of every item, then of every query
};

Answers answers(const Recommender& model, const PreparedFold& fold, const Questions& questions) {
  Answers out;
  out.scores = scores_of(model, questions.queries);
  if (const RatingPredictor* rater = model.ratings()) {
    std::vector<UserIdx> users;
    std::vector<ItemIdx> items;
    for (std::size_t u = 0; u < fold.users.size() + 2; ++u) {
      for (std::size_t i = 0; i < fold.items.size() + 1; ++i) {
        users.push_back(u < fold.users.size() ? user_at(u) : u == fold.users.size() ? user_at(u + 9000) : kNoUser);
        items.push_back(i < fold.items.size() ? item_at(i) : kNoItem);
      }
    }
    out.ratings.assign(users.size(), std::nanf(""));
    rater->predict(users, items, out.ratings);
  }
  if (const EmbeddingSpace* space = model.embeddings()) {
    const Matrix<float>& items = space->item_vectors();
    out.vectors.assign(items.data(), items.data() + items.size());
    std::vector<float> one(static_cast<std::size_t>(items.cols()));
    for (const Query& query : questions.queries) {
      std::fill(one.begin(), one.end(), std::nanf(""));
      space->query_vector(query, one);
      out.vectors.insert(out.vectors.end(), one.begin(), one.end());
    }
  }
  return out;
}

void expect_same(const Answers& a, const Answers& b, const std::string& when) {
  EXPECT_TRUE(same_bits(a.scores, b.scores)) << "scores differ " << when;
  EXPECT_TRUE(same(a.ratings, b.ratings)) << "ratings differ " << when;
  EXPECT_TRUE(same(a.vectors, b.vectors)) << "vectors differ " << when;
}

class Model : public testing::TestWithParam<Subject> {
 protected:
  Model() : fold_(world({})), questions_(fold_) {}
  // The world that fits the subject: stars where it learns ratings, else plays.
  PreparedFold world(WorldOptions options) const {
    options.ratings = learns_ratings(GetParam());
    return make_world(options);
  }
  Fitted fitted(int threads = 1, std::uint64_t seed = 1) const { return fit(GetParam(), fold_, threads, seed); }
  Answers ask(const Recommender& model) const { return answers(model, fold_, questions_); }

  PreparedFold fold_;
  Questions questions_;
};

TEST_P(Model, HasTheCapabilitiesThatItDeclares) {
  const AlgorithmInfo& info = entry_of(GetParam()).info;
  const Fitted one = fitted();
  EXPECT_EQ(one.model->n_items(), fold_.items.size());
  EXPECT_EQ(info.embeddings, one.model->embeddings() != nullptr);
  EXPECT_EQ(info.iterative, !one.curve.series.empty());
  if (one.model->ratings() != nullptr) {
    EXPECT_TRUE(info.predicts_ratings);
  }
  bool any_rates = false;
  for (const Subject& s : subjects()) any_rates = any_rates || (s.algorithm == info.name && learns_ratings(s));
  EXPECT_EQ(info.predicts_ratings, any_rates) << "no configuration predicts ratings";
  const Matrix<float> scores = scores_of(*one.model, questions_.queries);
  bool alike = true;
  for (Eigen::Index q = 1; q < scores.rows(); ++q) alike = alike && same_bits(scores.row(0), scores.row(q));
  EXPECT_EQ(info.personalised, !alike);
}

TEST_P(Model, WritesEveryScoreAndNoNaN) {
  const Fitted one = fitted();
  const auto rows = static_cast<Eigen::Index>(questions_.queries.size());
  const auto items = static_cast<Eigen::Index>(fold_.items.size());
  Matrix<float> wide = Matrix<float>::Constant(rows, items + 3, std::nanf(""));
  one.model->score(questions_.queries, wide.leftCols(items));
  EXPECT_FALSE(wide.leftCols(items).hasNaN());
  EXPECT_TRUE((wide.leftCols(items).array() < std::numeric_limits<float>::infinity()).all());
  EXPECT_TRUE(wide.rightCols(3).array().isNaN().all()) << "it wrote beyond its columns";
  const Answers all = ask(*one.model);
  for (float rating : all.ratings) ASSERT_TRUE(std::isfinite(rating));
  for (float value : all.vectors) ASSERT_TRUE(std::isfinite(value));
  if (const EmbeddingSpace* space = one.model->embeddings(); space != nullptr && !space->item_biases().empty()) {
    EXPECT_EQ(space->item_biases().size(), fold_.items.size());
  }
}

TEST_P(Model, HasTheSameBitsForAnyNumberOfThreads) {
  const Fitted one = fitted(1);
  const Answers expected = ask(*one.model);
  for (int threads : {2, 3, 8}) {
    const Fitted other = fitted(threads);
    expect_same(ask(*other.model), expected, "with " + std::to_string(threads) + " threads");
    ASSERT_EQ(other.curve.series.size(), one.curve.series.size());
    for (const auto& [series, values] : one.curve.series)
      EXPECT_TRUE(same(other.curve.series.at(series), values)) << series;
  }
}

// The world is too small to be cut into blocks; the demo data is not.
TEST_P(Model, HasTheSameBitsForAnyNumberOfThreadsOnMoreData) {
  const PreparedFold& demo = demo_fold();
  std::vector<Query> some(17);
  for (std::size_t q = 0; q < some.size(); ++q) some[q].user = user_at(q * 11);
  const Fitted one = fit(GetParam(), demo, 1), three = fit(GetParam(), demo, 3);
  EXPECT_TRUE(same_bits(scores_of(*one.model, some), scores_of(*three.model, some)));
  for (const auto& [series, values] : one.curve.series)
    EXPECT_TRUE(same(three.curve.series.at(series), values)) << series;
}

TEST_P(Model, HasTheSameBitsWhenInputRowsAreShuffled) {
  const Answers expected = ask(*fitted().model);
  for (std::uint64_t order : {1u, 2u}) {
    const PreparedFold shuffled = world({.row_order = order});
    ASSERT_EQ(shuffled.dataset_fingerprint, fold_.dataset_fingerprint);
    const Questions questions(shuffled);
    expect_same(answers(*fit(GetParam(), shuffled).model, shuffled, questions), expected, "after a shuffle");
  }
}

TEST_P(Model, DoesNotSeeTestData) {
  const Answers expected = ask(*fitted().model);
  for (std::uint64_t rows : {1u, 2u}) {
    const PreparedFold other = world({.test_rows = rows});
    ASSERT_NE(other.dataset_fingerprint, fold_.dataset_fingerprint) << "the test sets are meant to differ";
    const Questions questions(other);
    expect_same(answers(*fit(GetParam(), other).model, other, questions), expected, "with another test set");
  }
}

TEST_P(Model, IsAFunctionOfItsSeed) {
  expect_same(ask(*fitted(1, 5).model), ask(*fitted(1, 5).model), "between two fits");
}

TEST_P(Model, AnswersAloneInABatchAndForCandidatesAlike) {
  const Fitted one = fitted();
  const Matrix<float> all = scores_of(*one.model, questions_.queries);
  const std::span<const Query> queries = questions_.queries;
  for (std::size_t size : {1u, 2u, 3u, 5u, 8u}) {  // so that each query stands at every place of a batch
    for (std::size_t first = 0; first + size <= queries.size(); first += size == 1 ? 1 : 2) {
      const Matrix<float> part = scores_of(*one.model, queries.subspan(first, size));
      ASSERT_TRUE(same_bits(part, all.middleRows(static_cast<Eigen::Index>(first), static_cast<Eigen::Index>(size))))
          << size << " queries from " << first;
    }
  }
  std::vector<Query> reversed(queries.rbegin(), queries.rend());
  EXPECT_TRUE(same_bits(scores_of(*one.model, reversed), all.colwise().reverse()));
  std::vector<ItemIdx> candidates;  // any order, one twice
  for (std::size_t i = fold_.items.size(); i-- > 0;)
    if (i % 4 != 1) candidates.push_back(item_at(i));
  candidates.push_back(candidates[2]);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    for (const std::size_t count : {candidates.size(), std::size_t{1}, std::size_t{0}}) {
      std::vector<float> out(count, std::nanf(""));
      one.model->score_candidates(queries[q], std::span(candidates).first(count), out);
      for (std::size_t c = 0; c < count; ++c) {
        const float expected = all(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(raw(candidates[c])));
        ASSERT_EQ(std::memcmp(&out[c], &expected, sizeof expected), 0)
            << "query " << q << ", candidate " << c << " of " << count << ": " << out[c] << " and " << expected;
      }
    }
  }
  const auto* staged = dynamic_cast<const StagedScores*>(one.model.get());
  std::vector<std::string> first;
  for (std::size_t q = 0; staged != nullptr && q < queries.size(); ++q) {
    Matrix<float> row(1, all.cols());
    std::vector<std::string> stages;
    staged->score_in_stages(queries[q], row_span(row, 0), [&](std::string_view name) { stages.emplace_back(name); });
    EXPECT_TRUE(same_bits(row, all.row(static_cast<Eigen::Index>(q)))) << "in stages, query " << q;
    if (q == 0) first = stages;
    EXPECT_EQ(stages, first);
    EXPECT_GE(stages.size(), 2u);
  }
}

TEST_P(Model, ScoresWithTheSameBitsAfterSaveAndLoad) {
  const Fitted one = fitted();
  const Answers expected = ask(*one.model);
  MemoryArchive memory;
  one.model->save(memory.writer());
  const auto from_memory = make(GetParam());
  from_memory->load(memory.reader());
  EXPECT_EQ(from_memory->n_items(), fold_.items.size());
  expect_same(ask(*from_memory), expected, "after a memory archive");

  const TempFolder folder;
  {
    H5Writer file(folder / "model.h5");
    H5ArchiveWriter archive(file, "/model");
    one.model->save(archive);
    file.commit();
  }
  const H5Reader file(folder / "model.h5");
  const auto from_file = make(GetParam());
  from_file->load(H5ArchiveReader(file, "/model"));
  expect_same(ask(*from_file), expected, "after a file");

  MemoryArchive again;  // and what was loaded can be saved
  from_file->save(again.writer());
  const auto second = make(GetParam());
  second->load(again.reader());
  expect_same(ask(*second), expected, "after two generations");
}

class Embeddings : public Model {};

TEST_P(Embeddings, ExplainTheScores) {
  const Fitted one = fitted();
  const EmbeddingSpace* space = one.model->embeddings();
  ASSERT_NE(space, nullptr);
  const Matrix<float>& items = space->item_vectors();
  ASSERT_EQ(static_cast<std::size_t>(items.rows()), fold_.items.size());
  const Matrix<float> scores = scores_of(*one.model, questions_.queries);
  std::vector<float> vector(static_cast<std::size_t>(items.cols()));
  for (std::size_t q = 0; q < questions_.queries.size(); ++q) {
    space->query_vector(questions_.queries[q], vector);
    for (Eigen::Index i = 0; i < items.rows(); ++i) {
      double sum = space->item_biases().empty() ? 0.0 : double{space->item_biases()[static_cast<std::size_t>(i)]};
      for (Eigen::Index d = 0; d < items.cols(); ++d)
        sum += double{items(i, d)} * double{vector[static_cast<std::size_t>(d)]};
      ASSERT_NEAR(scores(static_cast<Eigen::Index>(q), i), sum, 1e-4 * (1 + std::abs(sum)))
          << "query " << q << " item " << i;
    }
  }
}

// recommend() of the packed view and of score(): the same lists and ranks, in every bit.
TEST_P(Embeddings, AreRankedAsTheirScoresAre) {
  const Fitted one = fitted();
  const PackedRows* packed = one.model->embeddings()->packed_items();
  if (packed == nullptr) GTEST_SKIP() << "it gives no packed items";
  ASSERT_EQ(packed->rows(), fold_.items.size());
  std::vector<Query> queries;  // more than are streamed together
  while (queries.size() < 200) queries.insert(queries.end(), questions_.queries.begin(), questions_.queries.end());
  std::vector<std::uint64_t> ends{0};
  std::vector<ItemIdx> seen, truth;
  std::vector<std::uint64_t> keys;
  Rng rng(3);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    for (const std::uint64_t i : rng.sample_without_replacement(fold_.items.size(), 6)) {
      (seen.size() < truth.size() ? seen : truth).push_back(item_at(i));
    }
    ends.push_back(truth.size());
    keys.push_back(rng.next_u64());
  }
  ASSERT_EQ(seen.size(), truth.size());
  CandidatePolicy policy;
  policy.excluded = {ends, seen};
  policy.user_keys = keys;
  const ScoresOf scores(*one.model);
  for (const std::size_t k : {std::size_t{5}, fold_.items.size()}) {
    TruthRanks expected;
    const TopK plain = recommend(scores, queries, policy, k, Executor(1), {ends, truth}, expected);
    for (const int threads : {1, 3}) {
      TruthRanks ranks;
      const TopK top = recommend(*one.model, queries, policy, k, Executor(threads), {ends, truth}, ranks);
      EXPECT_EQ(top.items, plain.items);
      EXPECT_TRUE(same(top.scores, plain.scores));
      EXPECT_EQ(ranks.rank, expected.rank);
      EXPECT_EQ(ranks.tied, expected.tied);
      EXPECT_EQ(ranks.above, expected.above);
      EXPECT_EQ(ranks.candidates, expected.candidates);
      EXPECT_EQ(ranks.tie_at_cut, expected.tie_at_cut);
    }
  }
}

// No event at all: an answer for everybody, or one sentence why this cannot be.
TEST_P(Model, FitsOnNothingOrSaysWhyNot) {
  PreparedFold nothing = world({});
  const auto none = [&] { return std::vector<std::uint64_t>(fold_.users.size() + 1, 0); };
  nothing.train = Interactions(Csr<ItemIdx>(fold_.items.size(), none(), {}, {}));
  nothing.train_histories = Histories(none(), {}, {}, {}, {}, {});
  const Questions questions(nothing);
  try {
    const Fitted one = fit(GetParam(), nothing);
    const Answers all = answers(*one.model, nothing, questions);
    EXPECT_FALSE(all.scores.hasNaN());
    for (float rating : all.ratings) ASSERT_TRUE(std::isfinite(rating));
  } catch (const UsageError& e) {
    EXPECT_GT(std::string(e.what()).size(), 20u);
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithm, Model, testing::ValuesIn(subjects()), name_of);
INSTANTIATE_TEST_SUITE_P(Algorithm, Embeddings,
                         testing::ValuesIn(subjects_that([](const Subject& s) { return entry_of(s).info.embeddings; })),
                         name_of);

}  // namespace
}  // namespace segue::test
