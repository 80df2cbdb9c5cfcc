#include "algorithms/time_of_day/time_of_day_math.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "framework/base/day.hpp"
#include "framework/base/errors.hpp"

namespace segue {

namespace {

using Hours = std::array<double, kHoursOfDay>;

double total(const Hours& hours) {
  double sum = 0;
  for (const double h : hours) sum += h;
  return sum;
}

// The share of a play at hour 0 that counts for each hour: a normal bell around the circle, both ways once.
Hours bell(double bandwidth) {
  Hours out{};
  for (int h = 0; h < kHoursOfDay; ++h) {
    const double away = std::min(h, kHoursOfDay - h);
    out[static_cast<std::size_t>(h)] =
        bandwidth > 0 ? std::exp(-0.5 * (away / bandwidth) * (away / bandwidth)) : (h == 0 ? 1 : 0);
  }
  const double sum = total(out);
  for (double& share : out) share /= sum;
  return out;
}

Hours spread(const Hours& counts, const Hours& bell) {
  Hours out{};
  for (std::size_t h = 0; h < kHoursOfDay; ++h)
    for (std::size_t away = 0; away < kHoursOfDay; ++away) out[(h + away) % kHoursOfDay] += counts[h] * bell[away];
  return out;
}

// What each tag of an item weighs in it, adding up to 1.
class TagShares {
 public:
  explicit TagShares(const ItemTags* tags) : tags_(tags) {}
  template <class Visit>  // Visit(tag, share)
  void of(std::size_t item, Visit visit) const {
    if (tags_ == nullptr) return;
    const auto ids = tags_->weights.indices(item);
    const bool weighted = tags_->weights.has_values();
    double sum = 0;
    for (std::size_t n = 0; n < ids.size(); ++n) sum += weighted ? double{tags_->weights.values(item)[n]} : 1.0;
    if (!(sum > 0)) return;
    for (std::size_t n = 0; n < ids.size(); ++n)
      visit(static_cast<std::size_t>(ids[n]), (weighted ? double{tags_->weights.values(item)[n]} : 1.0) / sum);
  }

 private:
  const ItemTags* tags_;
};

}  // namespace

int hour_of(std::int64_t time) { return static_cast<int>(second_of_day(time) / kSecondsPerHour); }

Matrix<float> hour_lifts(const Histories& plays, std::size_t items, const ItemTags* tags,
                         const HourSettings& settings) {
  SEGUE_CHECK(settings.prior > 0 && settings.bandwidth >= 0, "a prior of {} plays, a bell of {} hours", settings.prior,
              settings.bandwidth);
  std::vector<Hours> counts(items, Hours{});
  for (std::size_t e = 0; e < plays.n_events(); ++e)
    if (plays.kinds()[e] != EventKind::kSkip)
      counts[raw(plays.items()[e])][static_cast<std::size_t>(hour_of(plays.times()[e]))] += 1;
  const Hours shares = bell(settings.bandwidth);
  Hours all{};
  for (Hours& item : counts) {
    item = spread(item, shares);
    for (std::size_t h = 0; h < kHoursOfDay; ++h) all[h] += item[h];
  }
  Matrix<float> lifts = Matrix<float>::Zero(static_cast<Eigen::Index>(items), kHoursOfDay);
  const double played = total(all);
  if (!(played > 0)) return lifts;
  for (double& hour : all) hour /= played;

  const TagShares tags_of(tags);
  std::vector<Hours> of_tag(tags == nullptr ? 0 : tags->tags.size(), Hours{});
  for (std::size_t i = 0; i < items; ++i)
    tags_of.of(i, [&](std::size_t tag, double share) {
      for (std::size_t h = 0; h < kHoursOfDay; ++h) of_tag[tag][h] += share * counts[i][h];
    });
  for (Hours& tag : of_tag) {
    const double heard = total(tag);
    for (std::size_t h = 0; h < kHoursOfDay; ++h)
      tag[h] = (tag[h] + settings.prior * all[h]) / (heard + settings.prior);
  }
  for (std::size_t i = 0; i < items; ++i) {
    Hours expected{};
    bool tagged = false;
    tags_of.of(i, [&](std::size_t tag, double share) {
      tagged = true;
      for (std::size_t h = 0; h < kHoursOfDay; ++h) expected[h] += share * of_tag[tag][h];
    });
    if (!tagged) expected = all;
    const double heard = total(counts[i]);
    for (std::size_t h = 0; h < kHoursOfDay; ++h) {
      if (!(all[h] > 0)) continue;  // nobody plays anything then
      const double p = (counts[i][h] + settings.prior * expected[h]) / (heard + settings.prior);
      lifts(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(h)) = static_cast<float>(std::log(p / all[h]));
    }
  }
  return lifts;
}

}  // namespace segue
