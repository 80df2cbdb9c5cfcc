#include "framework/data/task_spec.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/base/errors.hpp"

namespace segue {

Schema<FeedbackSpec> FeedbackSpec::schema() {
  using P = FeedbackSpec;
  Schema<P> s;
  s.field("transform", &P::transform, "how events become a weight")
      .choices({"binary", "rating", "linear_confidence", "log_confidence", "bm25", "signals"});
  s.field("alpha", &P::alpha, "scale of linear_confidence and log_confidence").range(0.0, 1e6);
  s.field("epsilon", &P::epsilon, "log_confidence: weight = alpha log(1 + r / epsilon)").range(1e-12, 1e12);
  s.field("min_value", &P::min_value, "events with a smaller value are not feedback, e.g. 4 stars");
  s.field("duplicates", &P::duplicates, "value of a pair with several events").choices({"sum", "max", "first", "last"});
  s.field("aggregate_before_split", &P::aggregate_before_split, "merge a pair's events into one before splitting");
  s.field("bm25_k1", &P::bm25_k1, "bm25: saturation").range(0.0, 1000.0);
  s.field("bm25_b", &P::bm25_b, "bm25: length normalisation").range(0.0, 1.0);
  s.field("play", &P::play, "signals: weight of a play").range(-1000.0, 1000.0);
  s.field("repeat", &P::repeat, "signals: weight of an immediate repeat").range(-1000.0, 1000.0);
  s.field("like", &P::like, "signals: weight of a like").range(-1000.0, 1000.0);
  s.field("playlist_add", &P::playlist_add, "signals: weight of a playlist add").range(-1000.0, 1000.0);
  s.field("skip", &P::skip, "signals: weight of a skip").range(-1000.0, 1000.0);
  s.field("shuffle_kinds", &P::shuffle_kinds,
          "signals: a negative control. Kinds are dealt out anew among all events, so that a skip or a like says "
          "nothing any more");
  return s;
}

std::array<FeedbackSpec::Signal, 5> FeedbackSpec::signals() {
  using P = FeedbackSpec;
  return {{{"play", &P::play},
           {"repeat", &P::repeat},
           {"like", &P::like},
           {"playlist_add", &P::playlist_add},
           {"skip", &P::skip}}};
}

FeedbackSpec FeedbackSpec::with_signals(const Value& weights) const {
  const std::string what = "'feedback' of an algorithm";
  if (transform != "signals")
    throw UsageError(
        "{}{} weighs signals, and the suite's feedback is '{}'; write feedback: {{transform: signals}} in the suite",
        weights.mark().prefix(), what, transform);
  std::vector<std::string> keys;
  for (const Signal& signal : signals()) keys.emplace_back(signal.key);
  check_keys(weights, what, keys);
  FeedbackSpec out = *this;
  const FeedbackSpec given = schema().parse(weights, what);
  for (const Signal& signal : signals())
    if (weights.find(signal.key) != nullptr) out.*signal.weight = given.*signal.weight;
  return out;
}

Schema<FilterSpec> FilterSpec::schema() {
  using P = FilterSpec;
  Schema<P> s;
  s.field("min_user_events", &P::min_user_events, "users with fewer are dropped, iterated with min_item_events")
      .range(0, 1000000);
  s.field("min_item_events", &P::min_item_events, "items with fewer are dropped, iterated with min_user_events")
      .range(0, 1000000);
  s.field("scope", &P::scope, "count on the training window, or on all events").choices({"train", "all"});
  s.field("distinct", &P::distinct, "count distinct items (users) rather than events");
  return s;
}

Schema<SplitSpec> SplitSpec::schema() {
  using P = SplitSpec;
  Schema<P> s;
  s.field("strategy", &P::strategy, "how events become train, validation and test")
      .choices({"leave_last_out", "random_ratio", "global_time", "k_fold", "cold_items", "held_out_users",
                "playlist_continuation", "given"});
  s.field("test", &P::test,
          "events a user (leave_last_out), share of the items (cold_items), of the users (held_out_users, "
          "playlist_continuation; from 1 on so many "
          "users) or of the events; -1: 1 event, 0.2, or 0.1 of the users")
      .range(-1.0, 1e9);
  s.field("validation", &P::validation, "the same for validation; 0: none").range(0.0, 1e9);
  s.field("validation_from", &P::validation_from,
          "given: validation is a share of the training events, drawn by hash (events), or of the users, those who "
          "were active last, "
          "and takes the last event of each (last_events; 1: of everybody)")
      .choices({"events", "last_events"});
  s.field("per", &P::per, "random_ratio: over all events, or within each user").choices({"global", "user"});
  s.field("folds", &P::folds, "k_fold: number of folds").range(2, 100);
  s.field("cold_by", &P::cold_by,
          "cold_items: no event of a share of the items trains: items drawn by hash, all items of artists drawn by "
          "hash, or "
          "the latest releases")
      .choices({"item", "artist", "release"});
  s.field("fold_in", &P::fold_in,
          "held_out_users: share of each held-out user's events that queries know; no model trains on it")
      .range(0.0, 1.0);
  s.field("seeds", &P::seeds,
          "playlist_continuation: how many of its events the query of a held-out user (playlist) knows, one of these "
          "numbers each")
      .range(0, 1'000'000);
  s.field("shuffled", &P::shuffled,
          "held_out_users, playlist_continuation: what queries know is drawn by hash, rather than the first events");
  s.field("names", &P::names, "given: which of the data set's splits; empty: all of them");
  s.field("at", &P::at, "global_time: first second of the test period");
  s.field("test_users", &P::test_users,
          "leave_last_out, random_ratio: hold out events of so many users, drawn by hash, and train on all others; 0: "
          "of everybody")
      .range(0, 1'000'000'000);
  s.field("seed", &P::seed, "seed of the split, of ties and of sampled candidates");
  return s;
}

void FeedbackSpec::check() const {
  // One merged event has one kind, so a play, a skip and a like could not all keep their weights.
  if (aggregate_before_split && transform == "signals")
    throw UsageError(
        "feedback: aggregate_before_split does not go with 'signals', which weighs each kind of event by itself");
}

double SplitSpec::test_size() const {
  if (test >= 0) return test;
  return strategy == "leave_last_out" ? 1 : holds_out_users() ? 0.1 : 0.2;
}

void SplitSpec::check() const {
  if (test < 0 && test != -1)
    throw UsageError("split: test = {} is neither a size nor -1, which stands for the strategy's default", test);
  const bool draws_users = strategy == "leave_last_out" || strategy == "random_ratio";
  if (test_users > 0 && !draws_users)
    throw UsageError(
        "split: test_users goes with leave_last_out and random_ratio, not with {}, whose test events are no choice of "
        "its own",
        strategy);
  if (validation_from != "events" && strategy != "given")
    throw UsageError("split: validation_from goes with given, not with {}, which has a rule of its own for validation",
                     strategy);
  const double test_part = test_size();
  if (strategy == "leave_last_out") {
    if (test_part != std::floor(test_part) || validation != std::floor(validation))
      throw UsageError("split: leave_last_out takes whole numbers of events, not test = {}, validation = {}", test_part,
                       validation);
    if (test_part < 1) throw UsageError("split: test = 0 leaves nothing to judge");
    return;
  }
  if (holds_out_users()) {
    for (const auto& [key, size] : {std::pair("test", test_part), std::pair("validation", validation)})
      if (size >= 1 && size != std::floor(size))
        throw UsageError("split: {} = {} is neither a share of the users below 1 nor a whole number of them", key,
                         size);
    if (test_part == 0) throw UsageError("split: test = 0 leaves nothing to judge");
    if (test_part < 1 && validation < 1 && test_part + validation >= 1)
      throw UsageError("split: test + validation = {} leaves nobody to train on", test_part + validation);
    if (strategy == "held_out_users" && fold_in == 1) throw UsageError("split: fold_in = 1 leaves nothing to predict");
    if (seeds.empty()) throw UsageError("split: playlist_continuation needs 'seeds', e.g. [0, 1, 5, 10, 25, 100]");
    for (const int n : seeds)
      if (std::count(seeds.begin(), seeds.end(), n) > 1)
        throw UsageError("split: seeds are different numbers, not {}", fmt::join(seeds, ", "));
    return;
  }
  if (validation_from == "last_events") {
    if (validation > 1)
      throw UsageError("split: with validation_from: last_events, 'validation' is a share of users up to 1, not {}",
                       validation);
    return;
  }
  const char* const parted = strategy == "cold_items" ? "items" : "events";
  if (validation >= 1)
    throw UsageError("split: 'validation' is a share of {} below 1 for this strategy, not {}", parted, validation);
  const bool reads_test = strategy == "random_ratio" || strategy == "cold_items" || (strategy == "global_time" && !at);
  if (!reads_test) return;
  if (test_part >= 1)
    throw UsageError("split: 'test' is a share of {} below 1 for this strategy, not {}", parted, test_part);
  if (test_part == 0) throw UsageError("split: test = 0 leaves nothing to judge");
  if (test_part + validation >= 1)
    throw UsageError("split: test + validation = {} leaves nothing to train on", test_part + validation);
}

SplitSpec SplitSpec::effective() const {
  SplitSpec out;
  out.strategy = strategy;
  out.validation = validation;
  out.seed = seed;
  if (strategy == "random_ratio") out.per = per;
  if (strategy == "random_ratio" || strategy == "leave_last_out") out.test_users = test_users;
  if (strategy == "k_fold") out.folds = folds;
  if (strategy == "cold_items") out.cold_by = cold_by;
  if (strategy == "held_out_users") out.fold_in = fold_in;
  if (strategy == "playlist_continuation") {
    out.seeds = seeds;
    std::sort(out.seeds.begin(), out.seeds.end());  // their order means nothing
  }
  if (holds_out_users()) out.shuffled = shuffled;
  if (strategy == "given") out.names = names;
  if (strategy == "given" && validation > 0) out.validation_from = validation_from;
  if (strategy == "global_time") out.at = at;
  const bool reads_test = strategy == "leave_last_out" || strategy == "random_ratio" || strategy == "cold_items" ||
                          holds_out_users() || (strategy == "global_time" && !at);
  if (reads_test && test_size() != out.test_size()) out.test = test;
  return out;
}

namespace {

const std::vector<std::string> kViewKeys{"candidates", "catalogue", "exclude", "repeats", "relevance",
                                         "retrieval",  "metrics",   "name",    "clip"};

// What a user has heard, and all there is by the artists heard.
const std::vector<std::string> kExclusions{"train", "validation", "artists"};

const std::vector<std::string> kRetrievals{"exact", "hnsw", "ivfpq", "sq8"};

std::string one_of(const Value& value, std::string_view key, const std::vector<std::string>& known) {
  const std::string& text = value.as_string();
  for (const std::string& k : known)
    if (k == text) return text;
  throw UsageError("{}: unknown {} '{}'{}", value.mark().str(), key, text, suggestion(text, known));
}

}  // namespace

Schema<RetrievalSpec> RetrievalSpec::schema(const std::string& kind) {
  using P = RetrievalSpec;
  Schema<P> s;
  if (kind == "hnsw") {
    s.field("search_width", &P::search_width, "candidates kept while walking the graph (ef)").range(1, 1 << 20);
    s.field("links", &P::links, "links an item and layer (M)").range(2, 512);
    s.field("build_width", &P::build_width, "candidates for the links of a new item (efConstruction)")
        .range(1, 1 << 20);
  } else if (kind == "ivfpq" || kind == "sq8") {
    s.field("lists", &P::lists, "lists of items; 0: four times the root of their number").range(0, 1 << 20);
    s.field("probes", &P::probes, "lists that a query looks through").range(1, 1 << 20);
    s.field("rerank", &P::rerank, "candidates for each place of a list, which are compared exactly").range(1, 1 << 16);
    if (kind == "ivfpq")
      s.field("code_bytes", &P::code_bytes, "bytes of an item's code; 0: one for two dimensions, at most 64")
          .range(0, 1 << 16);
  }
  return s;
}

RetrievalSpec RetrievalSpec::parse(const Value& value) {
  if (!value.is_map()) {
    RetrievalSpec out;
    out.kind = one_of(value, "retrieval", kRetrievals);
    return out;
  }
  check_keys(value, "'retrieval'", kRetrievals);
  if (value.entries().size() != 1)
    throw UsageError("{}: retrieval is one of exact, hnsw, ivfpq, sq8, such as {{hnsw: {{search_width: 100}}}}",
                     value.mark().str());
  const Value::Entry& entry = value.entries().front();
  RetrievalSpec out = schema(entry.key).parse(entry.value, fmt::format("'retrieval: {}'", entry.key));
  out.kind = entry.key;
  return out;
}

Value RetrievalSpec::to_value() const {
  if (exact()) return Value::string(kind);
  Value out = Value::map();
  out.set(kind, schema(kind).non_default(*this));
  return out;
}

ViewSpec ViewSpec::parse(const Value& value) {
  if (!value.is_map())
    throw UsageError("{}: an entry of 'evaluate' is a map such as {{candidates: full, metrics: [ndcg@10]}}",
                     value.mark().str());
  check_keys(value, "an entry of 'evaluate'", kViewKeys);
  ViewSpec view;
  if (const Value* v = value.find("candidates")) {
    if (v->is_map()) {
      check_keys(*v, "'candidates'", {"sampled"});
      const Value* n = v->find("sampled");
      if (n == nullptr) throw UsageError("{}: write candidates: {{sampled: 99}}", v->mark().str());
      view.candidates = "sampled";
      view.sampled = n->as_int();
      if (view.sampled < 1 || view.sampled > 1000000)
        throw UsageError("{}: sampled = {} is out of range [1, 1000000]", n->mark().str(), view.sampled);
    } else {
      view.candidates = one_of(*v, "candidates", {"full", "given"});
    }
  }
  if (const Value* v = value.find("catalogue")) view.catalogue = one_of(*v, "catalogue", {"all", "train", "unseen"});
  if (const Value* v = value.find("repeats")) view.repeats = one_of(*v, "repeats", {"exclude", "allow", "only"});
  if (const Value* v = value.find("relevance")) view.relevance = one_of(*v, "relevance", {"binary", "value"});
  if (const Value* v = value.find("retrieval")) {
    view.retrieval = RetrievalSpec::parse(*v);
    if (!view.retrieval.exact() && view.candidates != "full")
      throw UsageError("{}: an index finds items of the whole catalogue: retrieval '{}' goes with candidates: full",
                       v->mark().str(), view.retrieval.kind);
  }
  if (const Value* v = value.find("exclude")) {
    if (!v->is_list() && !v->is_string())
      throw UsageError("{}: exclude is a list such as [train, validation], or [] for nothing", v->mark().str());
    view.exclude.clear();
    for (const Value& part : v->items()) view.exclude.push_back(one_of(part, "exclude", kExclusions));
    if (v->is_string()) view.exclude.push_back(one_of(*v, "exclude", kExclusions));
  }
  if (const Value* v = value.find("clip")) {
    if (v->items().size() != 2) throw UsageError("{}: clip is a pair such as [1, 5]", v->mark().str());
    view.clip_low = v->items()[0].as_real();
    view.clip_high = v->items()[1].as_real();
    if (!(*view.clip_low < *view.clip_high)) throw UsageError("{}: clip needs low < high", v->mark().str());
  }
  if (const Value* v = value.find("name")) view.name = v->as_string();
  const Value* metrics = value.find("metrics");
  if (metrics == nullptr || metrics->items().empty())
    throw UsageError("{}: an entry of 'evaluate' needs 'metrics', e.g. [ndcg@10, recall@20]", value.mark().str());
  for (const Value& m : metrics->items()) {
    view.metrics.push_back(m.as_string());
    view.metric_marks.push_back(m.mark());
  }
  return view;
}

namespace {

// One more way of writing 'retrieval': {hnsw: {...}}.
std::string index_schema(const std::string& kind) {
  return fmt::format(
      R"(,{{"type":"object","additionalProperties":false,"required":["{0}"],"properties":{{"{0}":{1}}}}})", kind,
      RetrievalSpec::schema(kind).erase().json_schema());
}

}  // namespace

std::string ViewSpec::json_schema() {
  return R"({"type":"object","additionalProperties":false,"required":["metrics"],"properties":{
"candidates":{"description":"what is ranked: the whole catalogue, n sampled negatives, or the data set's given negatives","anyOf":[{"enum":["full","given"]},{"type":"object","additionalProperties":false,"required":["sampled"],"properties":{"sampled":{"type":"integer","minimum":1}}}]},
"catalogue":{"enum":["all","train","unseen"],"description":"all items, or items seen, or unseen, in training"},
"exclude":{"type":"array","items":{"enum":["train","validation","artists"]},"description":"seen items, and all items of artists heard, that are never recommended"},
"repeats":{"enum":["exclude","allow","only"],"description":"whether items heard before may be recommended"},
"relevance":{"enum":["binary","value"]},
"retrieval":{"description":"all scores, or an index of the item vectors: its lists are a task of their own","anyOf":[{"enum":["exact","hnsw","ivfpq","sq8"]})" +
         index_schema("hnsw") + index_schema("ivfpq") + index_schema("sq8") + R"(]},
"clip":{"type":"array","items":{"type":"number"},"minItems":2,"maxItems":2,"description":"range of predicted ratings"},
"metrics":{"type":"array","minItems":1,"items":{"type":"string"},"description":"see 'segue metric list'"},
"name":{"type":"string"}}})";
}

Value ViewSpec::identity() const {
  Value v = Value::map();
  v.set("candidates",
        candidates == "sampled" ? Value::string(fmt::format("sampled:{}", sampled)) : Value::string(candidates));
  v.set("catalogue", Value::string(catalogue));
  Value excluded = Value::list();
  if (repeats == "exclude")
    for (const std::string& part : kExclusions)
      for (const std::string& e : exclude)
        if (e == part) excluded.push_back(Value::string(e));
  v.set("exclude", std::move(excluded));
  v.set("repeats", Value::string(repeats));
  v.set("relevance", Value::string(relevance));
  if (!retrieval.exact()) v.set("retrieval", retrieval.to_value());
  if (clip_low) {
    v.set("clip_low", Value::real(*clip_low));
    v.set("clip_high", Value::real(*clip_high));
  }
  return v;
}

std::string TaskSpec::canonical() const {
  Value v = Value::map();
  v.set("feedback", FeedbackSpec::schema().non_default(feedback));
  v.set("filter", filter.active() ? FilterSpec::schema().non_default(filter) : Value::map());
  v.set("split", SplitSpec::schema().non_default(split.effective()));
  return v.canonical();
}

}  // namespace segue
