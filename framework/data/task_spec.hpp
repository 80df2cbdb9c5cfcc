// A task as it is described: feedback, filters, split, and the views under which its fits are judged. Each part
// declares its keys once; canonical text of all parts makes the task's identity.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/param/schema.hpp"
#include "framework/param/value.hpp"

namespace segue {

// How events become the weight of a (user, item) pair. Weights are ratings (`rating`) or confidence above that of an
// unobserved pair; skips count only under `signals`.
struct FeedbackSpec {
  std::string transform = "binary";
  double alpha = 1;    // scale of linear_confidence and log_confidence
  double epsilon = 1;  // log_confidence: w = alpha log(1 + r / epsilon)  (Hu, Koren & Volinsky 2008, eq. 6)
  std::optional<double> min_value;  // events with a smaller value are not feedback (stars >= 4)
  std::string duplicates = "sum";   // several events of a pair
  bool aggregate_before_split = false;
  double bm25_k1 = 1.2, bm25_b = 0.75;
  double play = 1, repeat = 2, like = 3, playlist_add = 3, skip = -1;  // signals
  bool shuffle_kinds = false;                                          // signals: a negative control

  static Schema<FeedbackSpec> schema();
  void check() const;  // UsageError where keys contradict each other
  // The same with other weights of signals: a map of some of play, repeat, like, playlist_add and skip. UsageError for
  // other keys, and where the transform is another.
  FeedbackSpec with_signals(const Value& weights) const;
  // The weights of signals, by their keys.
  struct Signal {
    const char* key;
    double FeedbackSpec::*weight;
  };
  static std::array<Signal, 5> signals();
};

// Iterated k-core: passes until nothing changes.
struct FilterSpec {
  int min_user_events = 0;
  int min_item_events = 0;
  std::string scope = "train";
  bool distinct = true;  // count distinct items / users rather than events

  static Schema<FilterSpec> schema();
  bool active() const { return min_user_events > 1 || min_item_events > 1; }
};

struct SplitSpec {
  std::string strategy = "leave_last_out";
  double test = -1;  // events a user (leave_last_out), share of items (cold_items), users (holds_out_users()) or of
                     // events; -1: the strategy's default
  double validation = 0;
  std::string validation_from = "events";  // given: share of the training events, or of the users, for their last event
  std::string per = "global";
  int folds = 5;
  std::string cold_by = "item";  // cold_items: what is drawn
  double fold_in = 0.8;          // held_out_users: share of each held-out user's events that queries know
  std::vector<int> seeds{0,  1,  5,
                         10, 25, 100};  // playlist_continuation: how many events queries know, one of these each
  bool shuffled = false;                // both: which events these are is drawn by hash, rather than the first
  std::vector<std::string> names;       // given: which of the data set's splits; empty: all
  std::optional<std::int64_t> at;       // global_time: first second of the test period
  std::int64_t test_users = 0;  // leave_last_out, random_ratio: hold out events of so many users only; 0: of all
  std::uint64_t seed = 42;      // also the task's seed: ties, sampled candidates

  static Schema<SplitSpec> schema();
  // Whether no event of those who are asked about trains (strong generalisation).
  bool holds_out_users() const { return strategy == "held_out_users" || strategy == "playlist_continuation"; }
  double test_size() const;  // `test`, or the strategy's default: 1 event, or a share of 0.2 (of users 0.1)
  void check() const;        // UsageError where sizes do not fit the strategy
  // With every key that the strategy does not read at its default, and a size written out as if it were not: what is
  // equal here splits alike.
  SplitSpec effective() const;
};

// What finds a query's list: all scores, or an index of the model's item vectors (framework/index), which may miss
// some.
struct RetrievalSpec {
  std::string kind = "exact";  // exact, hnsw, ivfpq, sq8
  int search_width = 64;       // hnsw: these three
  int links = 16;
  int build_width = 200;
  int lists = 0;  // ivfpq, sq8: 0 follows the number of items
  int probes = 32;
  int rerank = 16;
  int code_bytes = 0;  // ivfpq: 0 is a byte for two dimensions, at most 64

  // What this kind reads. Nothing for exact.
  static Schema<RetrievalSpec> schema(const std::string& kind);
  static RetrievalSpec parse(const Value& value);  // "hnsw", or {hnsw: {search_width: 100}}
  bool exact() const { return kind == "exact"; }
  Value to_value() const;  // {hnsw: {what differs from the defaults}}, or "exact"
};

// One way of judging a fit; several views share one training.
struct ViewSpec {
  std::string candidates = "full";  // full, sampled, given
  std::int64_t sampled = 0;         // negatives a query, where candidates is "sampled"
  std::string catalogue = "all";    // all items, those seen in training, or those unseen there
  std::vector<std::string> exclude{"train", "validation"};
  std::string repeats = "exclude";   // exclude, allow, only
  std::string relevance = "binary";  // gain 1, or the event's value
  RetrievalSpec retrieval;
  std::vector<std::string> metrics;  // as written, e.g. "ndcg@10"
  std::vector<Mark> metric_marks;
  std::string name;                           // shown where several tasks are listed; default made from candidates
  std::optional<double> clip_low, clip_high;  // ratings; default: the range seen in training

  // From one entry of `evaluate:`. UsageError with file:line:column.
  static ViewSpec parse(const Value& value);
  static std::string json_schema();
  // Canonical map of what is part of the task's identity (without metrics and name).
  Value identity() const;
};

struct TaskSpec {
  FeedbackSpec feedback;
  FilterSpec filter;
  SplitSpec split;
  // What a model learns from, where it weighs events otherwise than the judge does: the same events are training and
  // test data, and the same items are the truth. No part of a task, but of a fit.
  std::optional<FeedbackSpec> learned;
  const FeedbackSpec& learned_feedback() const { return learned ? *learned : feedback; }
  // Canonical text of what decides the training data (without fold), but for `learned`.
  std::string canonical() const;
};

}  // namespace segue
