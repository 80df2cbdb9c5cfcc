#include "framework/model/neighbourhood.hpp"

#include <algorithm>
#include <numeric>

#include "framework/base/errors.hpp"

namespace segue {
namespace {

constexpr int kBiasSweeps = 10;

std::vector<float> weights_of(const Csr<ItemIdx>& by_user, std::size_t row) {
  const auto values = by_user.values(row);
  return by_user.has_values() ? std::vector<float>(values.begin(), values.end())
                              : std::vector<float>(by_user.row_size(row), 1.0f);
}

template <class T>
std::vector<std::uint32_t> as_u32(const Array<T>& values) {
  std::vector<std::uint32_t> out;
  for (T v : values) out.push_back(static_cast<std::uint32_t>(v));
  return out;
}

Csr<ItemIdx> deviations_from(const Csr<ItemIdx>& by_user, const RatingBias& bias) {
  std::vector<float> values;
  for (std::size_t u = 0; u < by_user.rows(); ++u) {
    const std::vector<float> weights = weights_of(by_user, u);
    const auto items = by_user.indices(u);
    for (std::size_t p = 0; p < items.size(); ++p) {
      values.push_back(static_cast<float>(double{weights[p]} - bias.predict(user_at(u), items[p])));
    }
  }
  return Csr<ItemIdx>(by_user.cols(), by_user.offsets(), by_user.all_indices(), std::move(values));
}

}  // namespace

Schema<NeighbourhoodParams> NeighbourhoodParams::schema() {
  using P = NeighbourhoodParams;
  Schema<P> s;
  s.field("target", &P::target, "what scores stand for: a ranking by summed weights, or predicted ratings")
      .choices({{"ranking", NeighbourTarget::kRanking}, {"ratings", NeighbourTarget::kRatings}});
  s.field("neighbours", &P::neighbours, "how many neighbours count (for ratings: of those that have a rating)")
      .range(1, 1000000)
      .search(log_scale, 10, 500);
  s.field("similarity", &P::similarity,
          "how two rows are compared; pearson_baseline correlates deviations from mu + b_u + b_i")
      .choices({{"cosine", Similarity::kCosine},
                {"adjusted_cosine", Similarity::kAdjustedCosine},
                {"pearson", Similarity::kPearson},
                {"pearson_baseline", Similarity::kCommonCosine},
                {"jaccard", Similarity::kJaccard}});
  s.field("weighting", &P::weighting, "reweights the matrix before a cosine")
      .choices({{"none", Weighting::kNone}, {"tfidf", Weighting::kTfIdf}, {"bm25", Weighting::kBm25}});
  s.field("bm25_k1", &P::bm25_k1, "bm25: how slowly repeated plays saturate").range(0, 1000);
  s.field("bm25_b", &P::bm25_b, "bm25: how much long rows are held back").range(0, 1);
  s.field("shrinkage", &P::shrinkage, "similarities are multiplied by n / (n + shrinkage), n the common entries")
      .range(0, 1e6)
      .search(linear, 0, 200);
  s.field("min_similarity", &P::min_similarity, "only neighbours more similar than this count").range(0, 1);
  s.field("normalise", &P::normalise, "ranking: divide a list's similarities by their sum")
      .search_choices({false, true});
  s.field("kept", &P::kept, "ratings: length of the stored lists, from which the neighbours with a rating are taken")
      .range(1, 1000000);
  s.field("reg_user", &P::reg_user, "L2 penalty on the user biases of the baseline").range(0, 1e6);
  s.field("reg_item", &P::reg_item, "L2 penalty on the item biases of the baseline").range(0, 1e6);
  return s;
}

NeighbourhoodModel::NeighbourhoodModel(NeighbourhoodParams params) : params_(params) {
  if (params_.weighting != Weighting::kNone && params_.similarity != Similarity::kCosine) {
    throw UsageError(
        "weighting tfidf and bm25 go with similarity cosine only; set weighting: none or similarity: cosine");
  }
}

SimilarityOptions NeighbourhoodModel::similarity_options() const {
  return {params_.similarity, params_.weighting, params_.bm25_k1,
          params_.bm25_b,     params_.shrinkage, params_.min_similarity};
}

std::size_t NeighbourhoodModel::list_length() const {
  return static_cast<std::size_t>(rates() ? std::max(params_.neighbours, params_.kept) : params_.neighbours);
}

void NeighbourhoodModel::fit(const TrainData& data, FitContext& ctx) {
  train_ = data.train.by_user();
  const auto weights = train_.all_values().span();
  const bool compares_ratings = params_.similarity != Similarity::kCosine && params_.similarity != Similarity::kJaccard;
  const bool constant = std::adjacent_find(weights.begin(), weights.end(), std::not_equal_to<>()) == weights.end();
  if (compares_ratings && constant && train_.nnz() > 0) {
    throw UsageError(
        "similarity adjusted_cosine, pearson and pearson_baseline compare how ratings differ, but every weight "
        "in this training data is the same; use cosine or jaccard");
  }
  if (has_baselines()) {
    bias_ = fit_rating_bias(train_, params_.reg_user, params_.reg_item, kBiasSweeps, ctx.exec);
    deviations_ = deviations_from(train_, bias_);
  }
  lists_ = find_neighbours(compared(), ctx.exec);
  prepare();
}

NeighbourhoodModel::Profile NeighbourhoodModel::profile_of(const Query& query, KnownItems& known) const {
  Profile profile;
  profile.user = query.user;
  profile.trained = raw(query.user) < train_.rows() && train_.row_size(raw(query.user)) > 0;
  if (!query.history.empty() && (!rates() || !query.weights.empty())) {
    static_cast<WeightedItems&>(profile) = known.of(query);
  } else if (profile.trained) {
    const auto items = train_.indices(raw(query.user));
    profile.items.assign(items.begin(), items.end());
    profile.weights = weights_of(train_, raw(query.user));
  }
  if (has_baselines()) {
    profile.bias =
        profile.trained ? bias_.user_bias(query.user) : bias_.bias_of(profile.items, profile.weights, params_.reg_user);
    for (std::size_t p = 0; p < profile.items.size(); ++p) {
      const double baseline = bias_.mean + profile.bias + bias_.item_bias(profile.items[p]);
      profile.deviations.push_back(static_cast<float>(double{profile.weights[p]} - baseline));
    }
  }
  return profile;
}

void NeighbourhoodModel::score(std::span<const Query> queries, MatRef<float> out) const {
  KnownItems known(n_items());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const std::span<float> row(out.data() + q * static_cast<std::size_t>(out.outerStride()), n_items());
    std::fill(row.begin(), row.end(), 0.0f);
    const Profile profile = profile_of(queries[q], known);
    add_scores(profile, row);
    if (!rates()) continue;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<float>(bias_.mean + profile.bias + bias_.item_bias(item_at(i)) + double{row[i]});
    }
  }
}

void NeighbourhoodModel::scores_of(const Profile& profile, std::span<const ItemIdx> items, std::span<float> out) const {
  std::vector<float> row(n_items(), 0.0f);
  add_scores(profile, row);
  for (std::size_t p = 0; p < items.size(); ++p) out[p] = row[raw(items[p])];
}

void NeighbourhoodModel::predict(std::span<const UserIdx> users, std::span<const ItemIdx> items,
                                 std::span<float> out) const {
  // A user's pairs together, so that profiles and neighbours are looked up once.
  std::vector<std::size_t> order(users.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return users[a] < users[b]; });
  KnownItems of_queries(n_items());
  std::vector<ItemIdx> known;
  std::vector<float> deviations;
  for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
    const UserIdx user = users[order[begin]];
    for (end = begin; end < order.size() && users[order[end]] == user;) ++end;
    known.clear();
    for (std::size_t p = begin; p < end; ++p) {
      if (raw(items[order[p]]) < n_items()) known.push_back(items[order[p]]);
    }
    const Profile profile = profile_of({.user = user}, of_queries);
    deviations.assign(known.size(), 0.0f);
    scores_of(profile, known, deviations);
    for (std::size_t p = begin, k = 0; p < end; ++p) {
      const ItemIdx item = items[order[p]];
      const double deviation = raw(item) < n_items() ? double{deviations[k++]} : 0;
      out[order[p]] = static_cast<float>(bias_.mean + profile.bias + bias_.item_bias(item) + deviation);
    }
  }
}

void NeighbourhoodModel::save(ArchiveWriter& archive) const {
  archive.put_value("items", double(train_.cols()));
  archive.put("train/offsets", train_.offsets().span());
  archive.put("train/items", std::span<const std::uint32_t>(as_u32(train_.all_indices())));
  archive.put("train/weights", train_.all_values().span());
  archive.put("neighbours/offsets", std::span<const std::uint64_t>(lists_.offsets));
  archive.put("neighbours/rows", std::span<const std::uint32_t>(lists_.rows));
  archive.put("neighbours/similarities", std::span<const float>(lists_.similarities));
  archive.put_value("bias/mean", bias_.mean);
  archive.put("bias/user", std::span<const float>(bias_.user));
  archive.put("bias/item", std::span<const float>(bias_.item));
}

void NeighbourhoodModel::load(const ArchiveReader& archive) {
  std::vector<ItemIdx> items;
  for (std::uint32_t i : archive.u32("train/items")) items.push_back(ItemIdx{i});
  train_ = Csr<ItemIdx>(static_cast<std::size_t>(archive.value("items")), archive.u64("train/offsets"),
                        std::move(items), archive.floats("train/weights"));
  lists_ = {archive.u64("neighbours/offsets"), archive.u32("neighbours/rows"),
            archive.floats("neighbours/similarities")};
  bias_ = {archive.value("bias/mean"), archive.floats("bias/user"), archive.floats("bias/item")};
  if (has_baselines()) deviations_ = deviations_from(train_, bias_);
  prepare();
}

}  // namespace segue
