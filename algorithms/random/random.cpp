#include "framework/base/hash.hpp"
#include "framework/model/recommender.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct RandomParams {
  double fit_flop(const DataShape&) const { return 0; }
  static Schema<RandomParams> schema() { return {}; }
};

class Random final : public Recommender {
 public:
  explicit Random(RandomParams) {}

  void fit(const TrainData& data, FitContext& ctx) override {
    seed_ = ctx.rng.seed();
    n_items_ = data.train.n_items();
  }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    for (std::size_t q = 0; q < queries.size(); ++q) {
      for (std::size_t i = 0; i < n_items_; ++i)
        out(Eigen::Index(q), Eigen::Index(i)) = draw(queries[q].user, item_at(i));
    }
  }
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) out[i] = draw(query.user, candidates[i]);
  }

  std::size_t n_items() const override { return n_items_; }
  void save(ArchiveWriter& archive) const override {
    archive.put_value("items", double(n_items_));
    archive.put("seed", std::span<const std::uint64_t>(&seed_, 1));
  }
  void load(const ArchiveReader& archive) override {
    n_items_ = static_cast<std::size_t>(archive.value("items"));
    seed_ = archive.u64("seed").at(0);
  }

 private:
  // Uniform on [0, 1), 24 bits: a function of seed, user and item, so that no score depends on what else is asked.
  float draw(UserIdx user, ItemIdx item) const {
    return static_cast<float>(mix64(mix64(seed_, raw(user)), raw(item)) >> 40) * 0x1.0p-24f;
  }

  std::uint64_t seed_ = 0;
  std::size_t n_items_ = 0;
};

}  // namespace

SEGUE_ALGORITHM(random, Random, RandomParams,
                {.name = "random",
                 .summary = "a random order, another one for each user: what knowing nothing achieves",
                 .citation = "none: the floor every other result stands on",
                 .family = "baseline"})

}  // namespace segue
