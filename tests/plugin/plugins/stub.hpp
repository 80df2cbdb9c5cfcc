// What every test plugin needs and none is about: one score an item.
#pragma once

#include <vector>

#include "framework/model/registry.hpp"

namespace segue::test {

struct NoParams {
  int seed = 0;
  static Schema<NoParams> schema() {
    Schema<NoParams> s;
    s.field("seed", &NoParams::seed, "not used");
    return s;
  }
};

class StubRecommender : public Recommender {
 public:
  void score(std::span<const Query>, MatRef<float> out) const override { out.setZero(); }
  std::size_t n_items() const override { return items_; }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}

 protected:
  std::size_t items_ = 0;
};

}  // namespace segue::test
