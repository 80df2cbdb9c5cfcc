// Allocates, and touches, memory without end in fit(). Run it under a memory cap only.
#include <cstring>
#include <memory>

#include "tests/plugin/plugins/stub.hpp"

namespace {
class Hoards final : public segue::test::StubRecommender {
 public:
  explicit Hoards(segue::test::NoParams) {}
  void fit(const segue::TrainData&, segue::FitContext&) override {
    constexpr std::size_t kBlock = std::size_t{16} << 20;
    for (;;) {
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlock));
      std::memset(blocks_.back().get(), static_cast<int>(blocks_.size()), kBlock);
    }
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
};
}  // namespace

SEGUE_ALGORITHM(
    plugin_hoards, Hoards, segue::test::NoParams,
    {.name = "plugin_hoards", .summary = "allocates without end in fit", .citation = "", .family = "baseline"})
