#include "framework/text/tfidf.hpp"

#include <cmath>
#include <map>

#include <gmock/gmock.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/messages.hpp"

namespace segue::text {
namespace {

using test::message_of;
using testing::ElementsAre;

using Dense = std::vector<std::vector<double>>;

Csr<TermIdx> sparse(const Dense& dense) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (const auto& row : dense) {
    for (std::size_t t = 0; t < row.size(); ++t) {
      if (row[t] == 0) continue;
      terms.push_back(TermIdx{static_cast<std::uint32_t>(t)});
      values.push_back(static_cast<float>(row[t]));
    }
    offsets.push_back(terms.size());
  }
  return {dense.empty() ? 0 : dense.front().size(), std::move(offsets), std::move(terms), std::move(values)};
}

Dense dense(const Csr<TermIdx>& rows) {
  Dense out(rows.rows(), std::vector<double>(rows.cols(), 0));
  for (std::size_t r = 0; r < rows.rows(); ++r)
    for (std::size_t n = 0; n < rows.row_size(r); ++n)
      out[r][static_cast<std::size_t>(rows.indices(r)[n])] = double{rows.values(r)[n]};
  return out;
}

void expect_near(const Csr<TermIdx>& rows, const Dense& expected, double tolerance) {
  const Dense got = dense(rows);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t r = 0; r < got.size(); ++r)
    for (std::size_t t = 0; t < got[r].size(); ++t) EXPECT_NEAR(got[r][t], expected[r][t], tolerance) << r << ", " << t;
}

// The example of scikit-learn's user guide, section "Tf-idf term weighting", with the figures that it prints.
TEST(TfIdf, IsScikitLearns) {
  const Csr<TermIdx> counts = sparse({{3, 0, 1}, {2, 0, 0}, {3, 0, 0}, {4, 0, 0}, {3, 2, 0}, {3, 0, 2}});
  expect_near(tf_idf(counts, {.tf = Tf::kRaw, .idf = Idf::kSmooth}),
              {{0.85151335, 0, 0.52433293},
               {1, 0, 0},
               {1, 0, 0},
               {1, 0, 0},
               {0.55422893, 0.83236428, 0},
               {0.63035731, 0, 0.77630514}},
              1e-7);
}

// One document of two terms, worked out by hand: N = 4, df = (2, 1), counts (3, 1).
TEST(TfIdf, HasTheWeightsOfItsHeader) {
  const Csr<TermIdx> counts = sparse({{3, 1}, {0.5, 0}, {0, 0}, {0, 0}});
  const auto first = [&](Tf tf, Idf idf) {
    return dense(tf_idf(counts, {.tf = tf, .idf = idf, .unit_length = false}))[0];
  };
  const double log3 = 1.0986122886681098, log2 = 0.6931471805599453, log4 = 1.3862943611198906;
  const auto near = [](double a, double b) {
    return ElementsAre(testing::DoubleNear(a, 1e-6), testing::DoubleNear(b, 1e-6));
  };
  EXPECT_THAT(first(Tf::kRaw, Idf::kNone), near(3, 1));
  EXPECT_THAT(first(Tf::kLog, Idf::kNone), near(1 + log3, 1));
  EXPECT_THAT(first(Tf::kBinary, Idf::kNone), near(1, 1));
  EXPECT_THAT(first(Tf::kBinary, Idf::kPlain), near(log2, log4));
  EXPECT_THAT(first(Tf::kBinary, Idf::kSmooth), near(1.5108256237659907, 1.9162907318741551))
      << "ln(5/3), ln(5/2), + 1";
  EXPECT_THAT(first(Tf::kBinary, Idf::kProbabilistic), near(log2, 1.2039728043259361)) << "ln(2), ln(10/3)";
  EXPECT_NEAR(dense(tf_idf(counts, {.tf = Tf::kLog, .idf = Idf::kNone, .unit_length = false}))[1][0], 0.5, 1e-9)
      << "below 1, 1 + ln would be 0.31 here and negative below 0.37";
}

TEST(TfIdf, DropsRareAndCommonTerms) {
  // df: 1, 2, 3, 4 of 4
  const Csr<TermIdx> counts = sparse({{1, 1, 1, 1}, {0, 1, 1, 1}, {0, 0, 1, 1}, {0, 0, 0, 1}});
  const auto kept = [&](double fewest, double most) {
    std::vector<bool> out(4, false);
    const Csr<TermIdx> rows =
        tf_idf(counts, {.tf = Tf::kRaw, .idf = Idf::kNone, .min_df = fewest, .max_df = most, .unit_length = false});
    EXPECT_EQ(rows.cols(), 4u);
    for (const TermIdx t : rows.all_indices()) out[static_cast<std::size_t>(t)] = true;
    return out;
  };
  EXPECT_THAT(kept(1, 1), ElementsAre(true, true, true, true));
  EXPECT_THAT(kept(2, 1), ElementsAre(false, true, true, true));
  EXPECT_THAT(kept(0.5, 1), ElementsAre(false, true, true, true));
  EXPECT_THAT(kept(1, 3), ElementsAre(true, true, true, false));
  EXPECT_THAT(kept(0.51, 0.75), ElementsAre(false, false, true, false));
  EXPECT_EQ(message_of<UsageError>([&] { kept(1.5, 1); }),
            "min_df is 1.5; up to 1 it is a share of the documents, above 1 a whole number of them");
  EXPECT_EQ(message_of<UsageError>([&] { kept(1, 0); }),
            "max_df is 0; up to 1 it is a share of the documents, above 1 a whole number of them");
}

TEST(TfIdf, ATermOfEveryDocumentHasNoPlainWeight) {
  const Csr<TermIdx> rows = tf_idf(sparse({{1, 1}, {1, 0}}), {.idf = Idf::kPlain});
  EXPECT_THAT(rows.indices(0), ElementsAre(TermIdx{1}));
  EXPECT_EQ(rows.row_size(1), 0u) << "and a document of it alone is empty";
}

TEST(TfIdf, WhatIsNotAboveZeroIsAbsent) {
  const Csr<TermIdx> counts(2, std::vector<std::uint64_t>{0, 2, 4},
                            std::vector<TermIdx>{TermIdx{0}, TermIdx{1}, TermIdx{0}, TermIdx{1}},
                            std::vector<float>{-1, 2, 0, 2});
  EXPECT_THAT(document_frequencies(counts), ElementsAre(0, 2));
  EXPECT_EQ(tf_idf(counts, {}).nnz(), 2u);
}

// Everything at once, the slow way: whole matrices in double.
TEST(TfIdf, AgreesWithAnOracle) {
  Rng rng(3);
  Dense counts(40, std::vector<double>(15, 0));
  for (std::size_t r = 1; r < counts.size(); ++r)
    for (double& x : counts[r]) x = rng.below(4) == 0 ? static_cast<double>(1 + rng.below(9)) / 2 : 0;
  for (const Tf tf : {Tf::kRaw, Tf::kLog, Tf::kBinary})
    for (const Idf idf : {Idf::kNone, Idf::kPlain, Idf::kSmooth, Idf::kProbabilistic}) {
      Dense expected = counts;
      for (std::size_t t = 0; t < 15; ++t) {
        double df = 0;
        for (const auto& row : counts) df += row[t] > 0;
        for (std::size_t r = 0; r < 40; ++r) {
          const double x = counts[r][t];
          double w = tf == Tf::kRaw ? x : tf == Tf::kBinary ? 1 : x >= 1 ? std::log(x) + 1 : x;
          w *= idf == Idf::kNone     ? 1
               : idf == Idf::kPlain  ? std::log(40 / df)
               : idf == Idf::kSmooth ? std::log(41 / (df + 1)) + 1
                                     : std::log((40 - df + 0.5) / (df + 0.5) + 1);
          expected[r][t] = x > 0 && df >= 3 ? w : 0;
        }
      }
      for (auto& row : expected) {
        double squares = 0;
        for (const double x : row) squares += x * x;
        for (double& x : row) x = squares > 0 ? x / std::sqrt(squares) : 0;
      }
      expect_near(tf_idf(sparse(counts), {.tf = tf, .idf = idf, .min_df = 3}), expected, 1e-6);
    }
}

TEST(Fields, TheirCosinesAreAveragedByWeight) {
  const Csr<TermIdx> tags = unit_rows(sparse({{3, 4}, {1, 0}, {0, 0}, {0, 2}}));
  const Csr<TermIdx> words = unit_rows(sparse({{1, 0, 0}, {1, 1, 0}, {0, 1, 0}, {0, 0, 0}}));
  const Csr<TermIdx> both = join_fields(std::vector<Field>{{tags, 1}, {words, 0.25}});
  EXPECT_EQ(both.cols(), 5u);
  EXPECT_NEAR(dot(both, 0, 1), (1 * 0.6 + 0.25 * std::sqrt(0.5)) / 1.25, 1e-6);
  for (std::size_t r = 0; r < 4; ++r) EXPECT_NEAR(dot(both, r, r), 1, 1e-6) << r;
  EXPECT_NEAR(dot(both, 1, 2), std::sqrt(0.5) * std::sqrt(0.25 / 1.25), 1e-6) << "a document without tags";
  EXPECT_EQ(dot(both, 2, 3), 0);
  EXPECT_THAT(both.indices(3), ElementsAre(TermIdx{1}));

  const Csr<TermIdx> one = join_fields(std::vector<Field>{{tags, 0}, {words, 2}});
  EXPECT_EQ(one.row_size(3), 0u) << "it has tags alone, which weigh nothing";
  EXPECT_NEAR(dot(one, 0, 1), std::sqrt(0.5), 1e-6);
  EXPECT_THROW(join_fields(std::vector<Field>{{tags, 1}, {sparse({{1}}), 1}}), LogicError);
  EXPECT_EQ(join_fields({}).rows(), 0u);
}

TEST(SharedTerms, NamesWhatAddsMost) {
  const Csr<TermIdx> rows = sparse({{1, 2, 0, 3, 1}, {1, 1, 5, 1, 2}});
  const std::vector<SharedTerm> shared = shared_terms(rows, 0, 1, 3);
  ASSERT_EQ(shared.size(), 3u);
  EXPECT_EQ(shared[0].term, TermIdx{3});
  EXPECT_EQ(shared[1].term, TermIdx{1}) << "equal ones by index";
  EXPECT_EQ(shared[2].term, TermIdx{4});
  EXPECT_EQ(shared[0].share, 3);
  EXPECT_EQ(shared_terms(rows, 0, 1, 10).size(), 4u);
  EXPECT_EQ(dot(rows, 0, 1), 1 + 2 + 3 + 2);
}

}  // namespace
}  // namespace segue::text
