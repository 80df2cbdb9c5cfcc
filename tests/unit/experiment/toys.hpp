// Registries of a few algorithms and data sets that stay as they are, whatever the program learns.
#pragma once

#include <memory>
#include <string>

#include "framework/experiment/dataset_store.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/model/iterative.hpp"
#include "framework/param/yaml.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue::test {

struct NoParams {
  static Schema<NoParams> schema() { return {}; }
};

// Counts plays.
class Popular : public Recommender {
 public:
  explicit Popular(const NoParams&) {}
  void fit(const TrainData& data, FitContext&) override {
    counts_.assign(data.train.n_items(), 0);
    for (const ItemIdx i : data.train.by_user().all_indices()) counts_[raw(i)] += 1;
  }
  void score(std::span<const Query>, MatRef<float> out) const override {
    for (Eigen::Index q = 0; q < out.rows(); ++q)
      for (std::size_t i = 0; i < counts_.size(); ++i) out(q, static_cast<Eigen::Index>(i)) = counts_[i];
  }
  std::size_t n_items() const override { return counts_.size(); }
  void save(ArchiveWriter& archive) const override { archive.put("counts", std::span<const float>(counts_)); }
  void load(const ArchiveReader& archive) override { counts_ = archive.floats("counts"); }

 protected:
  std::vector<float> counts_;
};

struct ToyParams {
  int factors = 8;
  int epochs = 3;
  double reg = 0.1;
  std::vector<int> layers{4, 2};
  static Schema<ToyParams> schema() {
    using P = ToyParams;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions").range(1, 512);
    s.field("epochs", &P::epochs, "epochs").range(1, 100);
    s.field("reg", &P::reg, "L2 penalty").range(0.0, 10.0);
    s.field("layers", &P::layers, "sizes").range(1, 64);
    return s;
  }
};

// Item e - 1 is the favourite of everybody after epoch e; predicts `3 + epoch / 10` for every rating.
class ToyMf : public IterativeRecommender, public RatingPredictor {
 public:
  explicit ToyMf(const ToyParams& p) : params_(p) {}
  void score(std::span<const Query>, MatRef<float> out) const override {
    out.setZero();
    out.col(static_cast<Eigen::Index>(state_[0]) - 1).setConstant(1);
  }
  void predict(std::span<const UserIdx>, std::span<const ItemIdx>, std::span<float> out) const override {
    for (float& x : out) x = 3 + state_[0] / 10;
  }
  std::size_t n_items() const override { return items_; }
  void save(ArchiveWriter& a) const override {
    a.put("state", std::span<const float>(state_));
    a.put_value("items", static_cast<double>(items_));
  }
  void load(const ArchiveReader& a) override {
    state_ = a.floats("state");
    items_ = static_cast<std::size_t>(a.value("items"));
  }
  const RatingPredictor* ratings() const override { return this; }

 protected:
  int epochs() const override { return params_.epochs; }
  void begin(const TrainData& data, FitContext&) override { items_ = data.train.n_items(); }
  Losses run_epoch(int epoch, const TrainData&, FitContext&) override {
    state_[0] = static_cast<float>(epoch);
    return {{"loss", 1.0 / epoch}};
  }
  void prepare_scoring() override {}
  std::vector<std::span<float>> state() override { return {state_}; }

 private:
  ToyParams params_;
  std::vector<float> state_{1};
  std::size_t items_ = 0;
};

inline Registry toy_algorithms(int version = 1) {
  Registry r;
  r.add(detail::algorithm_entry<Popular, NoParams>(
      {.name = "popular", .summary = "counts", .citation = "", .family = "baseline"}));
  r.add(detail::algorithm_entry<Popular, NoParams>(
      {.name = "tagger", .summary = "tags", .citation = "", .family = "content", .needs = {"item_tags"}}));
  r.add(detail::algorithm_entry<ToyMf, ToyParams>({.name = "toy_mf",
                                                   .summary = "toy",
                                                   .citation = "",
                                                   .family = "factors",
                                                   .version = version,
                                                   .predicts_ratings = true,
                                                   .iterative = true}));
  r.add(detail::algorithm_entry<ToyMf, ToyParams>({.name = "rater",
                                                   .summary = "ratings alone",
                                                   .citation = "",
                                                   .family = "baseline",
                                                   .ranks = false,
                                                   .predicts_ratings = true}));
  return r;
}

struct ToyData {
  std::string edition = "small";
  int seed = 1;
  static Schema<ToyData> schema() {
    Schema<ToyData> s;
    s.field("edition", &ToyData::edition, "which").choices({"small", "large"});
    s.field("seed", &ToyData::seed, "of the generator");
    return s;
  }
};

// Ratings, times, and two splits of its own, the first with negatives.
class ToyLoader : public DatasetLoader {
 public:
  static inline int loads = 0;
  std::vector<std::filesystem::path> files(const Value&, const DataRoots& roots) const override {
    return roots.folders;
  }
  Dataset load(const Value& params, const DataRoots&) const override {
    ++loads;
    const ToyData p = ToyData::schema().parse(params, "dataset 'toy'");
    DatasetBuilder b("toy", "Toy data");
    b.set_has_ratings(true);
    Log log = random_log(static_cast<std::uint64_t>(p.seed), 12, p.edition == "small" ? 20 : 30, 300, 1000);
    for (LogRow& r : log) r.kind = EventKind::kRating;
    add_rows(b, log);
    for (const char* fold : {"f1", "f2"})
      for (std::size_t i = 0; i < log.size(); ++i) {
        const DatasetBuilder::Row row{.user = log[i].user, .item = log[i].item, .value = log[i].value};
        (i % 5 == (fold[1] == '1' ? 0u : 1u)) ? b.add_test(fold, row) : b.add_train(fold, row);
      }
    for (int u = 0; u < 12; ++u) b.add_negative("f1", "user " + std::to_string(u), "1");
    return b.build();
  }
};

// Plays without times.
class PlainLoader : public DatasetLoader {
 public:
  std::vector<std::filesystem::path> files(const Value&, const DataRoots&) const override { return {}; }
  Dataset load(const Value&, const DataRoots&) const override { return dataset_of(random_log(2, 10, 15, 150), false); }
};

inline DatasetRegistry toy_datasets() {
  DatasetRegistry r;
  const auto info = [](const char* name) {
    return DatasetInfo{.name = name, .summary = "", .licence = "", .source = ""};
  };
  r.add({info("toy"), AnySchema::of<ToyData>(), [] { return std::make_unique<ToyLoader>(); }});
  r.add({info("plain"), AnySchema::of<NoParams>(), [] { return std::make_unique<PlainLoader>(); }});
  return r;
}

inline Spec spec_of(const std::string& yaml) {
  return parse_spec(parse_yaml(yaml, "s.yaml"), toy_algorithms(), toy_datasets());
}

// A whole suite: what is given replaces the line of the same key.
struct Suite {
  std::string dataset = "toy", algorithms = "[popular]", evaluate = "[{metrics: [ndcg@10]}]", more{};
  std::string text() const {
    return "version: 1\nname: test\ndataset: " + dataset + "\nalgorithms: " + algorithms + "\nevaluate: " + evaluate +
           "\n" + more;
  }
  Spec spec() const { return spec_of(text()); }
  std::string error() const {
    return message_of<UsageError>([&] { spec(); });
  }
};

}  // namespace segue::test
