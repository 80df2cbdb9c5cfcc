// Slow, obvious models of what the world must let models learn: a split by time, and the ranking of unheard tracks.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/demo/world_fixture.hpp"

namespace segue::demo {
namespace {

using Scores = std::vector<double>;
using Neighbours = std::vector<std::pair<double, std::uint32_t>>;

class Learnable : public ::testing::Test {
 protected:
  struct User {
    std::set<std::uint32_t> heard, later;                        // before the cut; after it and new to the listener
    std::vector<std::pair<std::uint32_t, std::uint32_t>> steps;  // after the cut: this was played after that
  };

  Learnable() : world_(test::default_world()), users_(world_.listeners.size()), fans_(world_.tracks.size()) {
    const std::int64_t cut = kPeriodStart + world_.params.days * kDay * 9 / 10;
    follows_.resize(world_.tracks.size());
    const Listen* last = nullptr;
    for (const Listen& e : world_.events) {
      if (e.kind != EventKind::kPlay) continue;
      User& user = users_[e.user];
      const bool follows = last != nullptr && last->user == e.user && last->session == e.session;
      if (e.time < cut) {
        if (user.heard.insert(e.track).second) fans_[e.track].push_back(e.user);
        if (follows) ++follows_[last->track][e.track];
      } else {
        if (!user.heard.contains(e.track)) user.later.insert(e.track);
        if (follows) user.steps.emplace_back(last->track, e.track);
      }
      last = &e;
    }
  }

  double popularity(std::size_t t) const { return static_cast<double>(fans_[t].size()); }

  // Cosine over listeners, the best hundred.
  std::vector<Neighbours> neighbours() const {
    std::vector<Neighbours> out(fans_.size());
    Scores shared(fans_.size());
    for (std::size_t t = 0; t < fans_.size(); ++t) {
      std::vector<std::uint32_t> touched;
      for (const std::uint32_t fan : fans_[t]) {
        for (const std::uint32_t other : users_[fan].heard) {
          if (shared[other] == 0) touched.push_back(other);
          ++shared[other];
        }
      }
      for (const std::uint32_t other : touched) {
        if (other != t) out[t].emplace_back(-shared[other] / std::sqrt(popularity(t) * popularity(other)), other);
        shared[other] = 0;
      }
      std::sort(out[t].begin(), out[t].end());
      out[t].resize(std::min<std::size_t>(out[t].size(), 100));
    }
    return out;
  }

  // Share of listeners with one of the ten best tracks, of those they had not heard, among what they then heard first.
  template <class Score>
  double hit_rate(Score score) const {
    double hits = 0, all = 0;
    for (const User& user : users_) {
      if (user.later.empty() || user.heard.empty()) continue;
      const Scores scores = score(user);
      std::vector<std::pair<double, std::uint32_t>> ranked;
      for (std::uint32_t t = 0; t < scores.size(); ++t) {
        if (!user.heard.contains(t)) ranked.emplace_back(-scores[t], t);
      }
      std::partial_sort(ranked.begin(), ranked.begin() + 10, ranked.end());
      hits += std::any_of(ranked.begin(), ranked.begin() + 10,
                          [&](const auto& r) { return user.later.contains(r.second); });
      ++all;
    }
    EXPECT_GT(all, 300);
    return hits / all;
  }

  const World& world_;
  std::vector<User> users_;
  std::vector<std::vector<std::uint32_t>> fans_;
  std::vector<std::map<std::uint32_t, int>> follows_;  // in training, within a session
};

TEST_F(Learnable, NeighboursBeatPopularityBeatsChance) {
  const std::vector<Neighbours> near = neighbours();
  Rng rng(7);
  const double chance = hit_rate([&](const User&) {
    Scores out(fans_.size());
    for (double& x : out) x = rng.uniform();
    return out;
  });
  const double popular = hit_rate([&](const User&) {
    Scores out(fans_.size());
    for (std::size_t t = 0; t < out.size(); ++t) out[t] = popularity(t);
    return out;
  });
  const double personal = hit_rate([&](const User& user) {
    Scores out(fans_.size());
    for (const std::uint32_t t : user.heard) {
      for (const auto& [similarity, other] : near[t]) out[other] -= similarity;
    }
    return out;
  });
  RecordProperty("chance", std::to_string(chance));
  RecordProperty("popular", std::to_string(popular));
  RecordProperty("personal", std::to_string(personal));
  EXPECT_GT(popular, 3 * chance);
  EXPECT_GT(personal, 1.3 * popular);
}

TEST_F(Learnable, TheLastTrackTellsTheNext) {
  // First-order transitions against what listeners share, and against the charts.
  const std::vector<Neighbours> near = neighbours();
  Neighbours charts;
  for (std::uint32_t t = 0; t < fans_.size(); ++t) charts.emplace_back(-popularity(t), t);
  std::sort(charts.begin(), charts.end());
  const auto holds = [](const Neighbours& ranked, std::uint32_t track) {
    const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(10, ranked.size()));
    return std::any_of(ranked.begin(), end, [&](const auto& r) { return r.second == track; }) ? 1.0 : 0.0;
  };
  double chain = 0, alike = 0, popular = 0, all = 0;
  for (const User& user : users_) {
    for (const auto& [last, next] : user.steps) {
      Neighbours ranked;
      for (const auto& [track, count] : follows_[last]) ranked.emplace_back(-count, track);
      std::sort(ranked.begin(), ranked.end());
      chain += holds(ranked, next);
      alike += holds(near[last], next);
      popular += holds(charts, next);
      ++all;
    }
  }
  ASSERT_GT(all, 3000);
  EXPECT_GT(chain / all, 1.2 * alike / all);
  EXPECT_GT(alike / all, 2 * popular / all);
}

TEST_F(Learnable, WordsAndTagsTellWhoLikesANewTrack) {
  // Tracks released within the period, ranked for each listener by words and label tags in common with all the older
  // tracks that the listener heard: nothing else is known of a new track.
  std::vector<std::uint32_t> fresh;
  for (std::uint32_t t = 0; t < world_.tracks.size(); ++t) {
    const Track& track = world_.tracks[t];
    if (!track.unheard && track.released >= kPeriodStart && fans_[t].size() >= 5) fresh.push_back(t);
  }
  ASSERT_GT(fresh.size(), 100u);
  const auto parts = [](const Track& track) {
    std::map<std::string, double> out;
    for (const Weighted& word : track.words) out["word " + word.text] += std::sqrt(double{word.weight});
    for (const Weighted& tag : track.label_tags) out["tag " + tag.text] += 3;
    double squares = 0;
    for (const auto& [part, weight] : out) squares += weight * weight;
    for (auto& [part, weight] : out) weight /= std::sqrt(squares);
    return out;
  };
  double area = 0, all = 0;
  for (std::size_t u = 0; u < users_.size(); u += 4) {
    std::map<std::string, double> profile;
    for (const std::uint32_t t : users_[u].heard) {
      if (world_.tracks[t].released >= kPeriodStart) continue;
      for (const auto& [part, weight] : parts(world_.tracks[t])) profile[part] += weight;
    }
    std::vector<double> liked, other;
    for (const std::uint32_t t : fresh) {
      double score = 0;
      for (const auto& [part, weight] : parts(world_.tracks[t])) {
        const auto at = profile.find(part);
        if (at != profile.end()) score += weight * at->second;
      }
      (users_[u].heard.contains(t) ? liked : other).push_back(score);
    }
    if (liked.empty() || profile.empty()) continue;
    double wins = 0;
    for (const double a : liked) {
      for (const double b : other) wins += a > b ? 1 : a == b ? 0.5 : 0;
    }
    area += wins / static_cast<double>(liked.size() * other.size());
    ++all;
  }
  ASSERT_GT(all, 50);
  EXPECT_GT(area / all, 0.62);
  RecordProperty("auc", std::to_string(area / all));
}

}  // namespace
}  // namespace segue::demo
