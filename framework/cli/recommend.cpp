#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "framework/cli/commands.hpp"
#include "framework/cli/item_table.hpp"
#include "framework/model/explain.hpp"
#include "framework/model/recommend.hpp"
#include "framework/model/score_scale.hpp"
#include "framework/text/tags.hpp"
#include "framework/text/tfidf.hpp"

namespace segue {

namespace {

struct Arguments {
  std::string trial, results, user, item;
  int n = 10;
  bool repeats = false;
  TableFormat format{};
};

ExitCode recommend_to_user(Session& session, const Arguments& args) {
  const StoredModel m = open_stored_model(session, args.trial, args.results);
  const auto position = m.fold.users.find(args.user);
  if (!position) throw UsageError("no user '{}' in data set '{}'; it has {} users, such as {}", args.user, m.trial.dataset, m.fold.users.size(), m.fold.users[0]);
  const UserIdx user = user_at(*position);
  const Query query = m.query(user);
  std::vector<ItemIdx> seen(query.history.begin(), query.history.end());
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  const std::vector<std::uint64_t> offsets{0, seen.size()};
  CandidatePolicy policy;
  if (!args.repeats) policy.excluded = {offsets, seen};
  policy.item_keys = m.fold.items.keys();
  policy.user_keys = m.fold.users.keys().slice(*position, *position + 1);
  policy.task_seed = m.fold.task_seed;
  const TopK top = recommend(*m.model, {&query, 1}, policy, static_cast<std::size_t>(args.n), Executor(0));

  ItemColumns columns;
  columns.scores.assign(top.row_scores(0).begin(), top.row_scores(0).end());
  if (m.model->score_meaning() != nullptr) {
    const ScoreScale scale(*m.model, query, args.repeats ? std::span<const ItemIdx>() : seen);
    columns.scale = "probability";
    for (const float score : columns.scores) columns.scaled.push_back(scale(score));
  }
  const ItemTags* tags = m.fold.facets.find<ItemTags>();
  if (const EmbeddingSpace* space = m.model->embeddings(); space != nullptr && tags != nullptr) {
    const LatentAxes axes(*space, *tags);
    std::vector<float> vector(static_cast<std::size_t>(space->item_vectors().cols()));
    space->query_vector(query, vector);
    for (ItemIdx item : top.row(0)) {
      if (item == kNoItem) break;
      const LatentMatch match = axes.strongest(vector, item);
      columns.matches.push_back(match.tags.empty() ? "" : fmt::format("{}", fmt::join(match.tags, ", ")));
    }
  }
  if (args.format == TableFormat::kText)
    fmt::print("{} for user {} on {} ({} events known)\n", m.trial.label, args.user, m.trial.dataset, query.history.size());
  show(item_table(m, top.row(0), columns), args.format);
  return ExitCode::kOk;
}

// The tags that each of `others` shares with the item, those that make the two most alike first; empty where the data
// has no tags.
std::vector<std::string> shared_tags(const StoredModel& m, ItemIdx item, std::span<const ItemIdx> others) {
  constexpr std::size_t kTags = 4;
  const ItemTags* given = m.fold.facets.find<ItemTags>();
  if (given == nullptr) return {};
  const ItemTags tags = text::merge_tags(*given).tags;
  const Csr<TermIdx> vectors = text::tf_idf(tags.weights, {});
  std::vector<std::string> out;
  for (const ItemIdx other : others) {
    std::string names;
    for (const text::SharedTerm& shared : text::shared_terms(vectors, raw(item), raw(other), kTags))
      names += fmt::format("{}{}", names.empty() ? "" : ", ", tags.tags[static_cast<std::size_t>(shared.term)]);
    out.push_back(std::move(names));
  }
  return out;
}

ExitCode similar_items(Session& session, const Arguments& args) {
  const StoredModel m = open_stored_model(session, args.trial, args.results);
  const ItemIdx item = m.find_item(args.item);
  // The score of a content model for somebody who knows one item is the cosine of two contents: a percentage match.
  const bool content = session.algorithms.find(m.trial.algorithm).info.family == "content";
  std::vector<float> scores(m.fold.items.size());
  if (const EmbeddingSpace* space = m.model->embeddings()) {
    const Matrix<float>& vectors = space->item_vectors();
    const auto own = static_cast<Eigen::Index>(raw(item));
    const auto dot = [&](Eigen::Index a, Eigen::Index b) {
      double sum = 0;
      for (Eigen::Index c = 0; c < vectors.cols(); ++c) sum += static_cast<double>(vectors(a, c)) * static_cast<double>(vectors(b, c));
      return sum;
    };
    const double own_norm = std::sqrt(dot(own, own));
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto other = static_cast<Eigen::Index>(i);
      const double norms = own_norm * std::sqrt(dot(other, other));
      scores[i] = norms > 0 ? static_cast<float>(dot(own, other) / norms) : 0.0f;
    }
  } else {
    // Without vectors: what the model recommends to somebody who knows this item alone.
    Query query;
    query.history = {&item, 1};
    Matrix<float> row(1, static_cast<Eigen::Index>(scores.size()));
    m.model->score({&query, 1}, row);
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = row(0, static_cast<Eigen::Index>(i));
  }
  std::vector<ItemIdx> order;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (item_at(i) != item && (content ? scores[i] > 0 : std::isfinite(scores[i]))) order.push_back(item_at(i));
  const std::size_t n = std::min(order.size(), static_cast<std::size_t>(args.n));
  std::partial_sort(order.begin(), order.begin() + static_cast<long>(n), order.end(), [&](ItemIdx a, ItemIdx b) {
    return scores[raw(a)] != scores[raw(b)] ? scores[raw(a)] > scores[raw(b)] : a < b;
  });
  order.resize(n);
  ItemColumns columns;
  for (ItemIdx i : order) columns.scores.push_back(scores[raw(i)]);
  if (content) {
    columns.scale = "percent";
    columns.decimals = 1;
    for (const float score : columns.scores) columns.scaled.push_back(100 * static_cast<double>(score));
    columns.matches = shared_tags(m, item, order);
  }
  if (args.format == TableFormat::kText) fmt::print("similar to {}{} by {}\n", m.title(item), m.artist(item).empty() ? "" : " - " + m.artist(item), m.trial.label);
  show(item_table(m, order, columns), args.format);
  if (content && args.format == TableFormat::kText)
    fmt::print("{}\n", order.empty() ? "nothing that the model reads is known of it, or of anything like it"
                                     : "percent: 100 is the same content, 0 nothing in common; match: tags that both have");
  return ExitCode::kOk;
}

void add_common(CLI::App& cmd, const std::shared_ptr<Arguments>& args) {
  add_stored_model(cmd, args->trial, args->results, args->n);
  add_format(cmd, args->format);
}

}  // namespace

void add_recommend(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "recommend", "recommends to a user from a stored model, and says why",
                              {{"segue recommend --trial implicit_als --user u0042 -n 5", "by label"},
                               {"segue recommend --trial 3f2a --results results/ncf-ml-1m --user 402", "by the beginning of a trial's id"}});
  cmd.add_option("--user", args->user, "the user, by external id")->required()->type_name("ID");
  cmd.add_flag("--repeats", args->repeats, "also what the user has heard already");
  add_common(cmd, args);
  on_run(cmd, session, [args, &session] { return recommend_to_user(session, *args); });
}

void add_similar(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "similar", "items that a stored model holds to be similar",
                              {{"segue similar --trial implicit_als --item t00042", "by id"},
                               {"segue similar --trial item_knn --item \"toy story\" -n 5", "by title, or a part of it"},
                               {"segue similar --trial tfidf --item \"low tide\"", "by content: percentage match and shared tags"}});
  cmd.add_option("--item,--track", args->item, "the item, by external id or title")->required()->type_name("ID|TITLE");
  add_common(cmd, args);
  on_run(cmd, session, [args, &session] { return similar_items(session, *args); });
}

}  // namespace segue
