#include "framework/eval/dialects.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/unit/eval/oracle_lists.hpp"

namespace segue {
namespace {

using test::Items;
using test::message_of;
using test::OracleQuery;
using testing::HasSubstr;

std::ifstream golden(const char* name) {
  std::ifstream in(std::string(SEGUE_SOURCE_DIR) + "/tests/golden/" + name);
  EXPECT_TRUE(in) << name;
  return in;
}

// tests/golden/trec_eval.txt: a list, its truth with gains, and what trec_eval prints for it.
struct Section {
  std::vector<OracleQuery> queries;
  std::vector<std::vector<double>> printed;  // a row a query, a column a value
  std::vector<double> means;
};

struct Golden {
  std::vector<std::string> values;
  std::map<std::string, Section> sections;
};

std::vector<double> numbers(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<double>(in), {}};
}

Golden read_trec() {
  Golden g;
  std::ifstream in = golden("trec_eval.txt");
  Section* section = nullptr;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first;
    if (line.starts_with("#")) continue;
    if (line.starts_with("values ")) {
      words >> first;
      for (std::string name; words >> name;) g.values.push_back(name);
    } else if (line.starts_with("section ")) {
      words >> first >> first;
      section = &g.sections[first];
    } else if (line.starts_with("mean ")) {
      section->means = numbers(line.substr(5));
    } else {
      const std::size_t bar = line.find('|'), second = line.find('|', bar + 1);
      Items list, truth;
      std::vector<float> gains;
      for (double item : numbers(line.substr(0, bar))) list.push_back(static_cast<std::uint32_t>(item));
      std::istringstream pairs(line.substr(bar + 1, second - bar - 1));
      for (std::string pair; pairs >> pair;) {
        truth.push_back(static_cast<std::uint32_t>(std::stoul(pair)));
        gains.push_back(std::stof(pair.substr(pair.find(':') + 1)));
      }
      section->queries.push_back(test::query_of(list, truth));
      section->queries.back().gains = gains;
      section->printed.push_back(numbers(line.substr(second + 1)));
    }
  }
  return g;
}

test::World library_world() {
  test::World w;
  for (std::uint64_t i = 0; i < 200; ++i) w.counts.push_back(i % 6 == 0 ? 0 : (7 * i * i + 13 * i) % 97);
  return w;
}

TEST(TrecEval, PrintsWhatTheDialectComputes) {
  const Golden g = read_trec();
  ASSERT_EQ(g.values.size(), 24u);
  ASSERT_EQ(g.sections.at("fixture").queries.size(), 5u);
  ASSERT_EQ(g.sections.at("random").queries.size(), 500u);
  std::size_t empty = 0, graded = 0, cut = 0;
  for (const auto& [name, section] : g.sections) {
    const test::StoredOutcome stored = test::store(section.queries, 20);
    for (const OracleQuery& q : section.queries) {
      empty += q.ranking.empty();
      graded += *std::max_element(q.gains.begin(), q.gains.end()) > 1;
      cut += q.truth.size() > 20;
    }
    for (std::size_t v = 0; v < g.values.size(); ++v) {
      const MetricValue value = compute(parse_dialect_metric("trec", g.values[v]), stored.view());
      ASSERT_EQ(value.n, section.queries.size());
      EXPECT_NEAR(value.mean, section.means[v], 0.5e-4 + 1e-9) << name << " " << g.values[v];
      for (std::size_t q = 0; q < section.queries.size(); ++q)
        EXPECT_NEAR(value.per_query[q], section.printed[q][v], 0.5e-4 + 1e-9) << g.values[v] << " query " << q;
    }
  }
  EXPECT_GT(empty, 20u);
  EXPECT_GT(graded, 100u);
  EXPECT_GT(cut, 20u);
}

TEST(TrecEval, PrintsWhatOurMetricsOfTheSameDefinitionCompute) {
  const Golden g = read_trec();
  const std::map<std::string, std::string> ours = {
      {"ndcg_cut_", "ndcg@"}, {"map_cut_", "map@"}, {"P_", "precision@"}, {"recall_", "recall@"}, {"success_", "hr@"}};
  std::size_t compared = 0;
  for (const auto& [name, section] : g.sections) {
    const test::StoredOutcome stored = test::store(section.queries, 20);
    for (std::size_t v = 0; v < g.values.size(); ++v) {
      const std::string& theirs = g.values[v];
      const std::string stem = theirs.substr(0, theirs.find_last_of('_') + 1);
      if (!ours.contains(stem)) continue;
      const MetricSpec spec = parse_metric(ours.at(stem) + theirs.substr(stem.size()));
      const MetricValue value = compute(spec, stored.view());
      EXPECT_NEAR(value.mean, section.means[v], 0.5e-4 + 1e-9);
      for (std::size_t q = 0; q < section.queries.size(); ++q, ++compared)
        EXPECT_NEAR(value.per_query[q], section.printed[q][v], 0.5e-4 + 1e-9) << spec.text() << " query " << q;
      EXPECT_EQ(counterpart("trec", spec).text(), theirs);
    }
  }
  EXPECT_EQ(compared, 505u * 20);
}

TEST(Dialects, AgreeWithTheLibrariesOwnCode) {
  const Section section = read_trec().sections.at("random");
  const test::StoredWorld facts(library_world());
  std::vector<OracleQuery> full;
  for (const OracleQuery& q : section.queries)
    if (q.ranking.size() == 20) full.push_back(q);
  const test::StoredOutcome all = test::store(section.queries, 20, 200), whole = test::store(full, 20, 200);
  std::ifstream in = golden("library_metrics.txt");
  std::map<std::string, std::size_t> compared;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string library, metric;
    double expected = 0;
    std::size_t n = 0;
    words >> library >> metric >> expected;
    RankingOutcome outcome = (library == "recbole" ? whole : all).view();
    outcome.item_facts = &facts.facts;
    const MetricValue value = compute(parse_dialect_metric(library, metric), outcome);
    EXPECT_NEAR(value.mean, expected, 1e-10) << library << " " << metric;
    if (words >> n) {
      EXPECT_EQ(value.n, n) << metric;
    }
    ++compared[library];
  }
  EXPECT_EQ(compared, (std::map<std::string, std::size_t>{{"implicit", 12}, {"lenskit", 33}, {"recbole", 33}}));
}

TEST(Dialects, GaucWeighsUsersByTheirTruth) {
  OracleQuery many = test::query_of({1, 2, 3, 4, 5, 6}, {1, 2, 6}), one = test::query_of({1, 2, 3}, {2});
  const OracleQuery alone = test::query_of({1, 2}, {1, 2});  // nothing else to be placed before
  const test::StoredOutcome stored = test::store({many, one, alone}, 3);
  const MetricValue gauc = compute(parse_dialect_metric("recbole", "gauc"), stored.view());
  EXPECT_NEAR(gauc.mean, (3 * (2.0 / 3) + 1 * 0.5) / 4, 1e-15);
  EXPECT_EQ(gauc.n, 2u);
  EXPECT_TRUE(gauc.per_query.empty());
}

TEST(Dialects, RowsAreComplete) {
  const test::StoredOutcome stored = test::store({test::query_of({1, 2, 3}, {2, 9})}, 3, 20);
  for (const std::string& library : dialect_names()) {
    std::set<std::string> names;
    for (const DialectMetric& m : dialect(library)) {
      EXPECT_TRUE(names.insert(m.name).second) << m.name;
      EXPECT_FALSE(m.definition.empty()) << m.name;
      EXPECT_EQ(m.impossible.empty(), m.function != nullptr) << m.name;
      const DialectSpec spec{&m, m.has_cutoff() ? 2u : 0u};
      if (!m.impossible.empty()) {
        EXPECT_THAT(message_of<UsageError>([&] { compute(spec, stored.view()); }), HasSubstr(m.impossible));
        continue;
      }
      EXPECT_EQ(parse_dialect_metric(library, spec.text()).metric, &m);
      if (m.same) {
        const MetricSpec own{&find_metric(m.ours), spec.k};
        EXPECT_EQ(compute(spec, stored.view()).mean, compute(own, stored.view()).mean) << m.name;
        EXPECT_EQ(counterpart(library, own).metric, &m);
      }
      if (!m.ours.empty()) find_metric(m.ours);  // throws where there is none
    }
  }
}

TEST(Dialects, SaysWhatIsWrong) {
  EXPECT_THAT(message_of<UsageError>([] { dialect("treq"); }),
              HasSubstr("unknown library 'treq'; did you mean 'trec'?"));
  EXPECT_THAT(message_of<UsageError>([] { parse_dialect_metric("trec", "ndcg_cut10"); }),
              HasSubstr("trec has no metric 'ndcg_cut10'; did you mean 'ndcg_cut_10'?"));
  for (const char* text : {"ndcg_cut_", "ndcg_cut_0", "ndcg_cut_1x", "P_-1", "map_cut_99999999999"})
    EXPECT_THROW(parse_dialect_metric("trec", text), UsageError) << text;
  const test::StoredOutcome stored = test::store({test::query_of({1, 2, 3}, {2})}, 3);
  const auto reason = [&](const char* library, const char* text) {
    return why_not(parse_dialect_metric(library, text), stored.view());
  };
  EXPECT_EQ(reason("trec", "ndcg_cut_4"), "ndcg_cut_4 needs lists of 4 items, and the stored ones have 3");
  EXPECT_EQ(reason("recbole", "tailpercentage@2"),
            "tailpercentage@2 needs the training users of each item, which these results do not hold");
  EXPECT_THAT(reason("recbole", "auc"), HasSubstr("auc: scores are not stored"));
  EXPECT_EQ(counterpart("trec", parse_metric("novelty@10")).metric, nullptr);
  EXPECT_EQ(counterpart("lenskit", parse_metric("ndcg@10")).text(), "NDCG@10");
  EXPECT_EQ(counterpart("recbole", parse_metric("auc")).text(), "gauc");
}

TEST(Dialects, HitsBehindTheListAreNone) {
  // Ranks are known to 4, lists to 2.
  const test::StoredOutcome stored = test::store({test::query_of({1, 2, 3, 4}, {3, 4})}, 2);
  EXPECT_EQ(compute(parse_metric("mrr@4"), stored.view()).mean, 1.0 / 3);
  for (const char* text : {"recip_rank", "map", "ndcg", "Rprec"})
    EXPECT_EQ(compute(parse_dialect_metric("trec", text), stored.view()).mean, 0) << text;
}

}  // namespace
}  // namespace segue
