#include "framework/model/registry.hpp"
#include "framework/model/successors.hpp"

namespace segue {
namespace {

struct MarkovParams {
  double fit_flop(const DataShape& s) const { return 20 * s.events; }
  double fit_bytes(const DataShape& s) const { return 32 * s.events; }  // sessions, places in them, rules
  static Schema<MarkovParams> schema() { return {}; }
};

class Markov final : public SuccessorModel {
 public:
  explicit Markov(MarkovParams) : SuccessorModel(1, [](std::size_t) { return 1.0; }) {}
};

}  // namespace

SEGUE_ALGORITHM(markov, Markov, MarkovParams,
                {.name = "markov",
                 .summary = "what has directly followed the last item in other sessions, as a first-order Markov chain",
                 .citation = "Norris 1997, Markov chains, CUP; as a session baseline: Kamehkhosh, Jannach & Ludewig "
                             "2017, A comparison of frequent pattern techniques and a deep learning method for "
                             "session-based recommendation, RecTemp at RecSys",
                 .family = "sequence"})

}  // namespace segue
