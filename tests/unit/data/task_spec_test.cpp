#include "framework/data/task_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/task.hpp"
#include "framework/param/yaml.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::IsEmpty;

ViewSpec view(const std::string& yaml) { return ViewSpec::parse(parse_yaml(yaml, "v.yaml")); }
std::string view_error(const std::string& yaml) {
  return message_of<UsageError>([&] { view(yaml); });
}

TEST(ViewSpec, ReadsEveryKey) {
  const ViewSpec plain = view("metrics: [ndcg@10]");
  EXPECT_EQ(plain.candidates, "full");
  EXPECT_EQ(plain.catalogue, "all");
  EXPECT_EQ(plain.repeats, "exclude");
  EXPECT_EQ(plain.relevance, "binary");
  EXPECT_THAT(plain.exclude, ElementsAre("train", "validation"));
  EXPECT_FALSE(plain.clip_low.has_value());
  const ViewSpec full = view(
      "{candidates: {sampled: 99}, catalogue: train, exclude: [train], repeats: allow, relevance: value, clip: [1, 5], "
      "name: x, metrics: [hr@1, auc]}");
  EXPECT_EQ(full.candidates, "sampled");
  EXPECT_EQ(full.sampled, 99);
  EXPECT_EQ(full.catalogue, "train");
  EXPECT_THAT(full.exclude, ElementsAre("train"));
  EXPECT_EQ(full.repeats, "allow");
  EXPECT_EQ(full.relevance, "value");
  EXPECT_EQ(full.clip_low, 1);
  EXPECT_EQ(full.clip_high, 5);
  EXPECT_EQ(full.name, "x");
  EXPECT_THAT(full.metrics, ElementsAre("hr@1", "auc"));
  EXPECT_EQ(full.metric_marks[1].str(), "v.yaml:1:" + std::to_string(full.metric_marks[0].column + 6));
  EXPECT_THAT(view("{exclude: [], metrics: [auc]}").exclude, IsEmpty());
  EXPECT_THAT(view("{exclude: train, metrics: [auc]}").exclude, ElementsAre("train"));
}

// What an index may be told, and that its lists are another task than exact ones, and those of other settings another
// again.
TEST(ViewSpec, ReadsWhatFindsTheLists) {
  EXPECT_TRUE(view("metrics: [ndcg@10]").retrieval.exact());
  EXPECT_TRUE(view("{retrieval: exact, metrics: [ndcg@10]}").retrieval.exact());
  EXPECT_EQ(view("{retrieval: hnsw, metrics: [ndcg@10]}").retrieval.search_width, 64);
  const RetrievalSpec wide = view("{retrieval: {hnsw: {search_width: 100, links: 8}}, metrics: [ndcg@10]}").retrieval;
  EXPECT_EQ(wide.kind, "hnsw");
  EXPECT_EQ(wide.search_width, 100);
  EXPECT_EQ(wide.links, 8);
  const RetrievalSpec codes = view("{retrieval: {ivfpq: {code_bytes: 16, rerank: 4}}, metrics: [ndcg@10]}").retrieval;
  EXPECT_EQ(codes.code_bytes, 16);
  EXPECT_EQ(codes.rerank, 4);
  EXPECT_EQ(codes.probes, 32);
  const auto identity = [](const std::string& retrieval) {
    return view("{retrieval: " + retrieval + ", metrics: [ndcg@10]}").identity().canonical();
  };
  EXPECT_EQ(identity("exact"), view("metrics: [ndcg@10]").identity().canonical());
  EXPECT_EQ(identity("hnsw"), identity("{hnsw: {search_width: 64}}"));
  EXPECT_NE(identity("hnsw"), identity("exact"));
  EXPECT_NE(identity("hnsw"), identity("{hnsw: {search_width: 65}}"));
  EXPECT_NE(identity("ivfpq"), identity("sq8"));
  for (const char* text : {"exact", "sq8", "{hnsw: {links: 4}}", "{ivfpq: {lists: 7, code_bytes: 2}}"}) {
    const RetrievalSpec spec = view(std::string("{retrieval: ") + text + ", metrics: [ndcg@10]}").retrieval;
    EXPECT_EQ(RetrievalSpec::parse(spec.to_value()).to_value().canonical(), spec.to_value().canonical()) << text;
  }
}

TEST(ViewSpec, RefusesARetrievalThatCannotBe) {
  EXPECT_EQ(view_error("{retrieval: hsnw, metrics: [ndcg@10]}"),
            "v.yaml:1:13: unknown retrieval 'hsnw'; did you mean 'hnsw'? known: exact, hnsw, ivfpq, sq8");
  EXPECT_EQ(view_error("{retrieval: {hnsw: {probes: 3}}, metrics: [ndcg@10]}"),
            "v.yaml:1:21: unknown key 'probes' in 'retrieval: hnsw'; known: search_width, links, build_width");
  EXPECT_EQ(view_error("{retrieval: {hnsw: {links: 1}}, metrics: [ndcg@10]}"),
            "v.yaml:1:28: links = 1 is out of range [2, 512] in 'retrieval: hnsw'");
  EXPECT_EQ(view_error("{retrieval: {hnsw: {}, sq8: {}}, metrics: [ndcg@10]}"),
            "v.yaml:1:13: retrieval is one of exact, hnsw, ivfpq, sq8, such as {hnsw: {search_width: 100}}");
  EXPECT_EQ(view_error("{retrieval: hnsw, candidates: {sampled: 9}, metrics: [ndcg@10]}"),
            "v.yaml:1:13: an index finds items of the whole catalogue: retrieval 'hnsw' goes with candidates: full");
}

TEST(ViewSpec, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(view_error("[1]"),
            "v.yaml:1:1: an entry of 'evaluate' is a map such as {candidates: full, metrics: [ndcg@10]}");
  EXPECT_EQ(view_error("candidates: full"),
            "v.yaml:1:1: an entry of 'evaluate' needs 'metrics', e.g. [ndcg@10, recall@20]");
  EXPECT_EQ(view_error("metrics: []"), "v.yaml:1:1: an entry of 'evaluate' needs 'metrics', e.g. [ndcg@10, recall@20]");
  EXPECT_EQ(view_error("metric: [auc]"),
            "v.yaml:1:1: unknown key 'metric' in an entry of 'evaluate'; did you mean 'metrics'? known: candidates, "
            "catalogue, exclude, repeats, relevance, retrieval, metrics, name, clip");
  EXPECT_EQ(view_error("{metrics: [auc], candidates: ful}"),
            "v.yaml:1:30: unknown candidates 'ful'; did you mean 'full'? known: full, given");
  EXPECT_EQ(view_error("{metrics: [auc], candidates: {sampled: 0}}"),
            "v.yaml:1:40: sampled = 0 is out of range [1, 1000000]");
  EXPECT_EQ(view_error("{metrics: [auc], candidates: {}}"), "v.yaml:1:30: write candidates: {sampled: 99}");
  EXPECT_EQ(view_error("{metrics: [auc], repeats: never}"),
            "v.yaml:1:27: unknown repeats 'never'; known: exclude, allow, only");
  EXPECT_EQ(view_error("{metrics: [auc], exclude: [test]}"),
            "v.yaml:1:28: unknown exclude 'test'; known: train, validation, artists");
  for (const char* nothing : {"{a: 1}", "null", "3"})
    EXPECT_EQ(view_error(fmt::format("{{metrics: [auc], exclude: {}}}", nothing)),
              "v.yaml:1:27: exclude is a list such as [train, validation], or [] for nothing")
        << nothing;
  EXPECT_EQ(view_error("{metrics: [rmse], clip: 5}"), "v.yaml:1:25: clip is a pair such as [1, 5]");
  EXPECT_EQ(view_error("{metrics: [rmse], clip: [5, 1]}"), "v.yaml:1:25: clip needs low < high");
}

// Two views are one task where, and only where, they judge alike.
TEST(ViewSpec, IdentityIsWhatJudges) {
  const auto id = [](const std::string& yaml) {
    return task_id("fingerprint", {}, view("{metrics: [auc], " + yaml + "}"));
  };
  const std::string plain = id("name: a");
  for (const char* same : {"candidates: full", "catalogue: all", "exclude: [validation, train]", "repeats: exclude",
                           "relevance: binary", "name: b"})
    EXPECT_EQ(id(same), plain) << same;
  EXPECT_EQ(task_id("fingerprint", {}, view("{metrics: [ndcg@5]}")), plain);
  std::set<std::string> ids{plain};
  for (const char* other : {"candidates: given", "candidates: {sampled: 99}", "candidates: {sampled: 100}",
                            "catalogue: train", "exclude: [train]", "exclude: []", "repeats: allow", "repeats: only",
                            "relevance: value", "clip: [1, 5]", "clip: [1, 4]"})
    EXPECT_TRUE(ids.insert(id(other)).second) << other;
  EXPECT_EQ(id("repeats: allow, exclude: [train]"), id("repeats: allow")) << "nothing is excluded either way";
  EXPECT_EQ(plain.size(), 12u);
}

TaskSpec task(const std::string& yaml) {
  const Value v = parse_yaml(yaml, "t.yaml");
  const auto part = [&](const char* key) { return v.find(key) == nullptr ? Value::map() : *v.find(key); };
  TaskSpec spec;
  spec.feedback = FeedbackSpec::schema().parse(part("feedback"), "'feedback'");
  spec.filter = FilterSpec::schema().parse(part("filter"), "'filter'");
  spec.split = SplitSpec::schema().parse(part("split"), "'split'");
  return spec;
}

TEST(TaskSpec, CanonicalTextIsWhatDecidesTheData) {
  const std::string plain = task("{}").canonical();
  for (const char* same :
       {"feedback: {transform: binary, alpha: 1.0}", "split: {seed: 42, strategy: leave_last_out}", "split: {test: 1}",
        "split: {test: -1, validation: 0}", "split: {folds: 9, per: user, at: 7, names: [u1]}",
        "filter: {min_user_events: 1, scope: all}"})
    EXPECT_EQ(task(same).canonical(), plain) << same;
  EXPECT_EQ(task("split: {strategy: random_ratio, test: 0.2}").canonical(),
            task("split: {strategy: random_ratio}").canonical());
  EXPECT_EQ(task("split: {strategy: k_fold, test: 0.4, folds: 5}").canonical(),
            task("split: {folds: 5, strategy: k_fold}").canonical());
  EXPECT_EQ(task("split: {strategy: global_time, test: 0.3, at: 5}").canonical(),
            task("split: {strategy: global_time, at: 5}").canonical());
  std::set<std::string> texts{plain};
  for (const char* other : {"feedback: {transform: bm25}",
                            "feedback: {min_value: 4}",
                            "feedback: {duplicates: max}",
                            "feedback: {aggregate_before_split: true}",
                            "filter: {min_user_events: 2}",
                            "filter: {min_item_events: 2}",
                            "filter: {min_item_events: 2, scope: all}",
                            "filter: {min_item_events: 2, distinct: false}",
                            "split: {test: 2}",
                            "split: {validation: 1}",
                            "split: {seed: 1}",
                            "split: {strategy: random_ratio}",
                            "split: {strategy: random_ratio, test: 0.1}",
                            "split: {strategy: random_ratio, per: user}",
                            "split: {strategy: global_time}",
                            "split: {strategy: global_time, at: 5}",
                            "split: {strategy: k_fold}",
                            "split: {strategy: k_fold, folds: 4}",
                            "split: {strategy: given}",
                            "split: {strategy: given, names: [u1]}"})
    EXPECT_TRUE(texts.insert(task(other).canonical()).second) << other;
}

}  // namespace
}  // namespace segue
