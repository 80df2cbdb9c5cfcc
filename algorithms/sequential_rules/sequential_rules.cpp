#include <cmath>

#include "framework/model/registry.hpp"
#include "framework/model/successors.hpp"

namespace segue {
namespace {

struct SequentialRulesParams {
  int steps = 10;
  double power = 1;  // Kamehkhosh et al. 2017: the reciprocal of the distance

  double fit_flop(const DataShape& s) const { return 10 * (1 + steps) * s.events; }
  double fit_bytes(const DataShape& s) const { return (16 + 16 * steps) * s.events; }
  static Schema<SequentialRulesParams> schema() {
    using P = SequentialRulesParams;
    Schema<P> s;
    s.field("steps", &P::steps, "how many places behind an item still count as following it")
        .range(1, 1000)
        .search(linear, 2, 20);
    s.field("power", &P::power, "what stands d places behind weighs d to the minus this; 0: all alike")
        .range(0.0, 10.0)
        .search(linear, 0, 3);
    return s;
  }
};

class SequentialRules final : public SuccessorModel {
 public:
  explicit SequentialRules(SequentialRulesParams params)
      : SuccessorModel(static_cast<std::size_t>(params.steps),
                       [&](std::size_t d) { return std::pow(static_cast<double>(d), -params.power); }) {}
};

}  // namespace

SEGUE_ALGORITHM(sequential_rules, SequentialRules, SequentialRulesParams,
                {.name = "sequential_rules",
                 .summary = "what has followed the last item in other sessions, the sooner the better",
                 .citation = "Kamehkhosh, Jannach & Ludewig 2017, A comparison of frequent pattern techniques and a "
                             "deep learning method for session-based recommendation, RecTemp at RecSys",
                 .family = "sequence"})

}  // namespace segue
