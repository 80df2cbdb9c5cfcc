#include "algorithms/two_stage/stage_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "framework/base/day.hpp"
#include "framework/base/errors.hpp"
#include "framework/model/listeners.hpp"
#include "framework/model/score_fusion.hpp"

namespace segue {

namespace {

constexpr std::size_t kOthers = 6;  // features beside those of retrievers
constexpr double kDay = double{kSecondsPerDay};

}  // namespace

void StageFeatures::learn(const TrainData& data) {
  const std::size_t n = data.train.n_items();
  listeners_.assign(n, 0);
  for (const ItemIdx item : data.train.by_user().all_indices()) listeners_[raw(item)] += 1;
  artist_of_.clear();
  if (const auto* artists = data.facets.find<ItemArtist>())
    artist_of_.assign(artists->artist_of.begin(), artists->artist_of.end());
  released_.clear();
  if (const auto* release = data.facets.find<ItemRelease>())
    for (const std::int64_t time : release->released)
      released_.push_back(time == ItemRelease::kUnknown ? std::numeric_limits<double>::quiet_NaN()
                                                        : static_cast<double>(time) / kDay);
  heard_ = data.train.by_user();
}

std::vector<std::string> StageFeatures::names() const {
  std::vector<std::string> out;
  for (const std::string& name : retrievers_) {
    out.push_back(name + " score");
    out.push_back(name + " rank");
  }
  for (const char* name : {"popularity", "unheard", "artist", "artist in session", "times heard", "days since release"})
    out.emplace_back(name);
  SEGUE_CHECK(out.size() == 2 * retrievers_.size() + kOthers, "{} names of features", out.size());
  return out;
}

Candidates StageFeatures::of(const Query& query, ConstMatRef<float> scores) const {
  const std::size_t n = listeners_.size(), r = retrievers_.size();
  std::span<const ItemIdx> history = query.history;
  if (history.empty() && raw(query.user) < heard_.rows()) history = heard_.indices(raw(query.user));
  std::vector<std::uint8_t> barred(repeats_ ? 0 : n, 0);
  std::map<ItemIdx, double> times;
  std::map<std::uint32_t, double> by_artist, in_session;
  for (std::size_t e = 0; e < history.size(); ++e) {
    const std::size_t item = raw(history[e]);
    if (item >= n) continue;
    times[history[e]] += 1;
    if (!repeats_) barred[item] = 1;
    if (item >= artist_of_.size() || artist_of_[item] == kNoArtist) continue;
    by_artist[artist_of_[item]] += 1 / static_cast<double>(history.size());
    if (!query.history.empty() && e >= query.session_begin)
      in_session[artist_of_[item]] += 1 / static_cast<double>(history.size() - query.session_begin);
  }

  Candidates out;
  std::vector<std::vector<ItemIdx>> best(r);
  for (std::size_t k = 0; k < r; ++k) {
    best[k] = best_items({scores.data() + k * static_cast<std::size_t>(scores.outerStride()), n}, barred, best_);
    out.items.insert(out.items.end(), best[k].begin(), best[k].end());
  }
  std::sort(out.items.begin(), out.items.end());
  out.items.erase(std::unique(out.items.begin(), out.items.end()), out.items.end());
  const std::size_t count = out.items.size();
  out.rows = Matrix<float>::Zero(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(2 * r + kOthers));
  out.from.assign(count * r, 0);
  const auto at = [&](ItemIdx item) {
    return static_cast<std::size_t>(std::lower_bound(out.items.begin(), out.items.end(), item) - out.items.begin());
  };
  std::vector<float> column(count);
  for (std::size_t k = 0; k < r; ++k) {
    for (std::size_t c = 0; c < count; ++c) column[c] = scores(static_cast<Eigen::Index>(k), raw(out.items[c]));
    standardise_scores(column);
    for (std::size_t c = 0; c < count; ++c)  // what a retriever cannot score is worse to it than most
      out.rows(static_cast<Eigen::Index>(c), static_cast<Eigen::Index>(2 * k)) =
          std::isfinite(column[c]) ? column[c] : -2.0f;
    for (std::size_t rank = 0; rank < best[k].size(); ++rank) {
      const std::size_t c = at(best[k][rank]);
      out.rows(static_cast<Eigen::Index>(c), static_cast<Eigen::Index>(2 * k + 1)) =
          static_cast<float>(1 - std::log1p(static_cast<double>(rank)) / std::log(2 + static_cast<double>(best_)));
      out.from[c * r + k] = 1;
    }
  }
  const auto share = [](const std::map<std::uint32_t, double>& of, std::uint32_t artist) {
    const auto it = of.find(artist);
    return it == of.end() ? 0.0f : static_cast<float>(it->second);
  };
  for (std::size_t c = 0; c < count; ++c) {
    float* to = out.rows.data() + c * (2 * r + kOthers) + 2 * r;
    const std::size_t item = raw(out.items[c]);
    const std::uint32_t artist = item < artist_of_.size() ? artist_of_[item] : kNoArtist;
    const auto heard = times.find(out.items[c]);
    to[0] = std::log1p(listeners_[item]);
    to[1] = listeners_[item] == 0 ? 1.0f : 0.0f;
    to[2] = artist == kNoArtist ? 0.0f : share(by_artist, artist);
    to[3] = artist == kNoArtist ? 0.0f : share(in_session, artist);
    to[4] = heard == times.end() ? 0.0f : static_cast<float>(std::log1p(heard->second));
    const double days = item < released_.size() && query.now != 0
                            ? static_cast<double>(query.now) / kDay - released_[item]
                            : std::numeric_limits<double>::quiet_NaN();
    to[5] = std::isnan(days) ? -1.0f : static_cast<float>(std::log1p(std::max(days, 0.0)));
  }
  return out;
}

void StageFeatures::save(ArchiveWriter& archive) const {
  archive.put("listeners", std::span<const float>(listeners_));
  archive.put("artists", std::span<const std::uint32_t>(artist_of_));
  archive.put("released", std::span<const double>(released_));
  put_rows(archive, "heard", heard_);
}

void StageFeatures::load(const ArchiveReader& archive) {
  listeners_ = archive.floats("listeners");
  artist_of_ = archive.u32("artists");
  released_ = archive.doubles("released");
  heard_ = get_rows<ItemIdx>(archive, "heard", listeners_.size());
}

}  // namespace segue
