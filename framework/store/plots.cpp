#include "framework/store/plots.hpp"

namespace segue {

const std::vector<PlotKind>& plot_kinds() {
  static const std::vector<PlotKind> kinds{
      {"metric_bars", "each metric with its interval, best first"},
      {"p_values", "adjusted p-values of every two rows"},
      {"critical_difference", "mean ranks over users (over tasks, where several folders are given) with what cannot be told apart"},
      {"accuracy_latency", "accuracy against latency, with the Pareto front"},
      {"accuracy_cost", "accuracy against latency and memory"},
      {"metric_cutoff", "a metric against its cut-off"},
      {"per_bin", "a metric by popularity and by activity, warm and cold"},
      {"score_distributions", "how a metric spreads over users"},
      {"parameter_sensitivity", "a metric against the parameters that a grid varies"},
      {"latency_cdf", "how latency spreads over calls"},
      {"learning_curves", "what training recorded, by epoch"},
  };
  return kinds;
}

std::vector<std::string> plot_names() {
  std::vector<std::string> names;
  for (const PlotKind& kind : plot_kinds()) names.push_back(kind.name);
  return names;
}

}  // namespace segue
