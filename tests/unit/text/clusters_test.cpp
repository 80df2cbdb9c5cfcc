#include "framework/text/clusters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "framework/base/errors.hpp"
#include "framework/text/tfidf.hpp"
#include "tests/support/messages.hpp"

namespace segue::text {
namespace {

using test::message_of;
using testing::ElementsAre;

// Topics of six terms each; a document has four terms of one topic, and now and then one of another. Every seventh
// document is empty.
struct Topics {
  Csr<TermIdx> rows;
  std::vector<int> topic;  // -1: empty
};
Topics topics(std::size_t documents, std::size_t k, std::uint64_t seed, bool noise = true) {
  Rng rng(seed);
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  Topics out;
  for (std::size_t d = 0; d < documents; ++d) {
    if (d % 7 == 3) {
      out.topic.push_back(-1);
    } else {
      const std::uint64_t topic = d % k == 0 ? 0 : rng.below(k);  // the first is the largest
      out.topic.push_back(static_cast<int>(topic));
      std::vector<std::uint64_t> own = rng.sample_without_replacement(6, 4);
      for (std::uint64_t& t : own) t += 6 * topic;
      if (noise && rng.below(3) == 0) own.push_back(6 * ((topic + 1) % k));
      std::sort(own.begin(), own.end());
      for (const std::uint64_t t : own) {
        terms.push_back(TermIdx{static_cast<std::uint32_t>(t)});
        values.push_back(1 + rng.uniform_float());
      }
    }
    offsets.push_back(terms.size());
  }
  out.rows = unit_rows(Csr<TermIdx>(6 * k, std::move(offsets), std::move(terms), std::move(values)));
  return out;
}

TEST(SphericalKMeans, FindsTheTopics) {
  const Topics world = topics(700, 5, 1);
  const Clusters found = spherical_kmeans(world.rows, {.clusters = 5}, Rng(1), Executor(2));
  ASSERT_EQ(found.sizes.size(), 5u);
  EXPECT_TRUE(std::is_sorted(found.sizes.rbegin(), found.sizes.rend()));
  EXPECT_EQ(std::accumulate(found.sizes.begin(), found.sizes.end(), std::size_t{0}), 600u);
  std::vector<std::uint32_t> of_topic(5, kNoCluster);
  for (std::size_t d = 0; d < 700; ++d) {
    if (world.topic[d] < 0) {
      EXPECT_EQ(found.of[d], kNoCluster);
      continue;
    }
    std::uint32_t& expected = of_topic[static_cast<std::size_t>(world.topic[d])];
    if (expected == kNoCluster) expected = found.of[d];
    EXPECT_EQ(found.of[d], expected) << "document " << d;
  }
  EXPECT_EQ(of_topic[0], 0u) << "the largest comes first";
  EXPECT_GT(found.rounds, 1);
}

// What it says of a document: the cosine with the mean direction, which no other group's mean exceeds.
TEST(SphericalKMeans, EveryDocumentIsInItsNearestGroup) {
  const Topics world = topics(300, 6, 2);
  const std::size_t k = 4;  // fewer groups than topics: no trivial answer
  const Clusters found = spherical_kmeans(world.rows, {.clusters = k, .max_rounds = 200}, Rng(7), Executor(1));
  std::vector<std::vector<double>> means(k, std::vector<double>(world.rows.cols(), 0));
  for (std::size_t d = 0; d < 300; ++d)
    for (std::size_t n = 0; n < world.rows.row_size(d); ++n)
      means[found.of[d]][static_cast<std::size_t>(world.rows.indices(d)[n])] += double{world.rows.values(d)[n]};
  double sum = 0;
  for (std::size_t d = 0; d < 300; ++d) {
    if (found.of[d] == kNoCluster) continue;
    std::vector<double> cosine(k, 0);
    for (std::size_t c = 0; c < k; ++c) {
      double squares = 0;
      for (const double x : means[c]) squares += x * x;
      for (std::size_t n = 0; n < world.rows.row_size(d); ++n)
        cosine[c] += double{world.rows.values(d)[n]} * means[c][static_cast<std::size_t>(world.rows.indices(d)[n])];
      cosine[c] /= std::sqrt(squares);
    }
    EXPECT_NEAR(cosine[found.of[d]], *std::max_element(cosine.begin(), cosine.end()), 1e-9) << d;
    EXPECT_NEAR(found.cosine[d], cosine[found.of[d]], 1e-9) << d;
    sum += found.cosine[d];
  }
  EXPECT_NEAR(found.mean_cosine, sum / static_cast<double>(300 - 43), 1e-9);
}

TEST(SphericalKMeans, HasTheSameBitsForAnyNumberOfThreads) {
  const Topics world = topics(1200, 5, 3);
  const Clusters one = spherical_kmeans(world.rows, {.clusters = 7}, Rng(1), Executor(1));
  for (const int threads : {2, 3, 8}) {
    const Clusters other = spherical_kmeans(world.rows, {.clusters = 7}, Rng(1), Executor(threads));
    EXPECT_EQ(other.of, one.of);
    EXPECT_EQ(other.cosine, one.cosine);
    EXPECT_EQ(other.mean_cosine, one.mean_cosine);
  }
}

TEST(SphericalKMeans, AsManyGroupsAsDocumentsAreOneEach) {
  const Csr<TermIdx> rows(3, std::vector<std::uint64_t>{0, 1, 2, 3},
                          std::vector<TermIdx>{TermIdx{0}, TermIdx{1}, TermIdx{2}}, std::vector<float>{1, 1, 1});
  const Clusters found = spherical_kmeans(rows, {.clusters = 3}, Rng(1), Executor(1));
  EXPECT_THAT(found.sizes, ElementsAre(1, 1, 1));
  EXPECT_THAT(found.of, ElementsAre(0, 1, 2)) << "equal sizes by the earliest document";
  EXPECT_THAT(found.cosine, ElementsAre(1, 1, 1));
}

TEST(SphericalKMeans, RefusesMoreGroupsThanThereAre) {
  const Csr<TermIdx> rows(2, std::vector<std::uint64_t>{0, 1, 2, 2}, std::vector<TermIdx>{TermIdx{0}, TermIdx{0}},
                          std::vector<float>{1, 1});
  EXPECT_EQ(message_of<UsageError>([&] { spherical_kmeans(rows, {.clusters = 0}, Rng(1), Executor(1)); }),
            "0 clusters; ask for one or more");
  EXPECT_EQ(message_of<UsageError>([&] { spherical_kmeans(rows, {.clusters = 3}, Rng(1), Executor(1)); }),
            "there are 2 documents with terms, too few for 3 clusters");
  EXPECT_EQ(message_of<UsageError>([&] { spherical_kmeans(rows, {.clusters = 2}, Rng(1), Executor(1)); }),
            "there are 1 different documents, too few for 2 clusters");
}

}  // namespace
}  // namespace segue::text
