#include <algorithm>
#include <iterator>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/task.hpp"

namespace segue {

namespace {

void sort_unique(std::vector<ItemIdx>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

// Items of each artist; items whose artist is not known stand alone.
class ArtistFilter {
 public:
  ArtistFilter(const PreparedFold& fold, const ViewSpec& view) {
    if (view.repeats != "exclude" || std::find(view.exclude.begin(), view.exclude.end(), "artists") == view.exclude.end()) return;
    artists_ = &fold.facets.require<ItemArtist>();
    items_.resize(artists_->artists.size());
    for (std::size_t i = 0; i < artists_->artist_of.size(); ++i)
      if (artists_->artist_of[i] != kNoArtist) items_[artists_->artist_of[i]].push_back(item_at(i));
  }
  // Adds to `seen` (ascending, distinct) every item by an artist of these.
  void widen(std::span<const ItemIdx> heard, std::vector<ItemIdx>& seen) const {
    if (artists_ == nullptr) return;
    std::vector<std::uint32_t> artists;
    for (const ItemIdx item : heard)
      if (artists_->artist_of[raw(item)] != kNoArtist) artists.push_back(artists_->artist_of[raw(item)]);
    std::sort(artists.begin(), artists.end());
    artists.erase(std::unique(artists.begin(), artists.end()), artists.end());
    for (const std::uint32_t a : artists) seen.insert(seen.end(), items_[a].begin(), items_[a].end());
    sort_unique(seen);
  }

 private:
  const ItemArtist* artists_ = nullptr;  // none: no filter
  std::vector<std::vector<ItemIdx>> items_;
};

bool wants(const ViewSpec& view, const char* part) {
  return view.repeats != "exclude" ? true : std::find(view.exclude.begin(), view.exclude.end(), part) != view.exclude.end();
}

}  // namespace

std::vector<ItemIdx> sample_negatives(std::span<const std::uint8_t> catalogue, const std::vector<ItemIdx>& positives, const std::vector<ItemIdx>* among,
                                      std::size_t count, std::uint64_t task_seed, std::uint64_t user_key) {
  std::vector<ItemIdx> pool, out;
  for (std::size_t i = 0; i < catalogue.size(); ++i)
    if (catalogue[i] != 0 && !std::binary_search(positives.begin(), positives.end(), item_at(i)) &&
        (among == nullptr || std::binary_search(among->begin(), among->end(), item_at(i))))
      pool.push_back(item_at(i));
  Rng rng = Rng(task_seed).stream("sampled negatives", user_key);
  for (std::uint64_t p : rng.sample_without_replacement(pool.size(), std::min(pool.size(), count))) out.push_back(pool[p]);
  return out;
}

JudgedView apply_view(const PreparedFold& fold, const EvalSet& set, const ViewSpec& view) {
  JudgedView out;
  const std::size_t n_items = fold.items.size();
  out.catalogue.assign(n_items, view.catalogue == "train" ? 0 : 1);
  if (view.catalogue != "all")
    for (ItemIdx item : fold.train.by_user().all_indices()) out.catalogue[raw(item)] = view.catalogue == "train" ? 1 : 0;
  out.catalogue_size = static_cast<std::uint64_t>(std::count(out.catalogue.begin(), out.catalogue.end(), 1));
  if (view.candidates == "given" && fold.given_negatives.rows() == 0)
    throw UsageError("candidates 'given': split '{}' of data set '{}' comes without candidate lists; use full or {{sampled: 99}}", fold.name, fold.dataset_name);
  if (view.candidates == "sampled" && static_cast<std::uint64_t>(view.sampled) >= out.catalogue_size)
    throw UsageError("candidates: cannot sample {} negatives from a catalogue of {}", view.sampled, out.catalogue_size);

  const bool lists = view.candidates != "full" || view.repeats == "only";
  const bool masks = view.repeats == "exclude" && view.candidates == "full";
  out.truth_offsets.push_back(0);
  if (masks) out.excluded_offsets.push_back(0);
  if (lists) out.candidate_offsets.push_back(0);

  const ArtistFilter artists(fold, view);
  std::vector<ItemIdx> known, trained, seen, truth, positives;
  for (std::size_t q = 0; q < set.size(); ++q) {
    const UserIdx user = set.users[q];
    // What the query knows beyond the user's training events (as multisets) are the validation events, truth or not, and
    // those that a given split lets queries alone know.
    known.assign(set.histories[q].items.begin(), set.histories[q].items.end());
    trained.assign(fold.train_histories.of(user).items.begin(), fold.train_histories.of(user).items.end());
    std::sort(known.begin(), known.end());
    std::sort(trained.begin(), trained.end());
    seen.clear();
    if (wants(view, "train")) seen = trained;
    if (wants(view, "validation")) std::set_difference(known.begin(), known.end(), trained.begin(), trained.end(), std::back_inserter(seen));
    sort_unique(seen);
    artists.widen(known, seen);
    const auto is_seen = [&](ItemIdx item) { return std::binary_search(seen.begin(), seen.end(), item); };

    truth.clear();
    std::vector<float> gains;
    for (std::uint64_t t = set.truth_offsets[q]; t < set.truth_offsets[q + 1]; ++t) {
      const ItemIdx item = set.truth_items[t];
      // An item outside the catalogue (catalogue: train) stays in the truth, unreachable.
      if ((view.repeats == "exclude" && is_seen(item)) || (view.repeats == "only" && !is_seen(item))) {
        ++out.truth_removed;
        continue;
      }
      truth.push_back(item);
      gains.push_back(view.relevance == "value" ? set.truth_values[t] : 1.0f);
    }
    if (truth.empty()) {
      ++out.queries_without_truth;
      continue;
    }
    const std::uint64_t user_key = fold.users.keys()[raw(user)];
    out.query.push_back(q);
    out.user_keys.push_back(user_key);
    out.truth_items.insert(out.truth_items.end(), truth.begin(), truth.end());
    out.truth_gains.insert(out.truth_gains.end(), gains.begin(), gains.end());
    out.truth_offsets.push_back(out.truth_items.size());
    if (masks) {
      out.excluded_items.insert(out.excluded_items.end(), seen.begin(), seen.end());
      out.excluded_offsets.push_back(out.excluded_items.size());
    }
    if (!lists) continue;

    std::vector<ItemIdx> candidates = truth;
    if (view.repeats == "only" && view.candidates == "full") {
      candidates = seen;
      std::erase_if(candidates, [&](ItemIdx item) { return out.catalogue[raw(item)] == 0; });
    } else if (view.candidates == "given") {
      const auto negatives = fold.given_negatives.indices(raw(user));
      candidates.insert(candidates.end(), negatives.begin(), negatives.end());
    } else {
      // Uniform over the catalogue without anything the user has ever done (repeats: only: over what the user has heard, without
      // the truth); a function of the task's seed and the user.
      const bool again = view.repeats == "only";
      positives.assign(set.truth_items.begin() + set.truth_offsets[q], set.truth_items.begin() + set.truth_offsets[q + 1]);
      if (!again) positives.insert(positives.end(), known.begin(), known.end());
      if (!again) artists.widen(known, positives);
      sort_unique(positives);
      const std::vector<ItemIdx> negatives = sample_negatives(out.catalogue, positives, again ? &seen : nullptr, static_cast<std::size_t>(view.sampled), fold.task_seed, user_key);
      candidates.insert(candidates.end(), negatives.begin(), negatives.end());
    }
    sort_unique(candidates);
    out.candidate_items.insert(out.candidate_items.end(), candidates.begin(), candidates.end());
    out.candidate_offsets.push_back(out.candidate_items.size());
  }
  return out;
}

}  // namespace segue
