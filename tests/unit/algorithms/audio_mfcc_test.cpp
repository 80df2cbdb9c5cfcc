// audio_mfcc against distances in double that are computed pair by pair.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <gmock/gmock.h>

#include "algorithms/audio_mfcc/audio_mfcc_math.hpp"
#include "framework/audio/feature_file.hpp"
#include "framework/base/errors.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/sound_directions.hpp"
#include "framework/model/registry.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/made_up_sound.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/support/messages.hpp"

extern "C" void segue_register_algorithm_audio_mfcc(segue::Registry& registry);

namespace segue {
namespace {

using test::params_of;

constexpr std::size_t kItems = 60;
constexpr float kInf = std::numeric_limits<float>::infinity();

std::unique_ptr<Recommender> make(const std::vector<std::pair<std::string, Value>>& params) {
  Registry registry;
  segue_register_algorithm_audio_mfcc(registry);
  return registry.make("audio_mfcc", params_of(params));
}

// Three kinds of sound, one item without any; items 40 to 59 were never played.
struct World {
  Facets facets;
  std::shared_ptr<const ItemSound> sound;
  Csr<ItemIdx> events;
  World() {
    auto audio = std::make_shared<ItemAudio>();
    std::vector<std::string> sources;
    for (std::size_t i = 0; i < kItems; ++i) sources.push_back(i == 7 ? "" : fmt::format("kind {};{}", i % 3, i));
    audio->sources = StringTable(sources);
    facets.set_dataset_name("toy");
    facets.add(audio);
    sound = test::made_up_sound(facets);
    facets.add(sound);
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> items;
    for (std::size_t u = 0; u < 4; ++u) {
      for (std::size_t i = u; i < 40; i += 5) items.push_back(item_at(i));
      offsets.push_back(items.size());
    }
    std::vector<float> ones(items.size(), 1);
    events = Csr<ItemIdx>(kItems, std::move(offsets), std::move(items), std::move(ones));
  }
  std::unique_ptr<Recommender> fitted(const std::vector<std::pair<std::string, Value>>& params) const {
    auto model = make(params);
    const Executor exec(1);
    const Interactions train(events);
    const Histories none;
    test::Curve curve;
    FitContext ctx{exec, Rng(1), curve};
    model->fit({train, none, facets}, ctx);
    return model;
  }
};

std::vector<float> ask(const Recommender& model, const Query& query) {
  const Matrix<float> out = test::scores_of(model, {&query, 1});
  return {out.data(), out.data() + out.size()};
}

audio::TimbreModel timbre(const ItemSound& sound, std::size_t item) {
  audio::TrackRecord record;
  const auto take = [&](const Array<float>& from) {
    const std::size_t width = from.size() / kItems;
    return std::vector<float>(from.begin() + item * width, from.begin() + (item + 1) * width);
  };
  record.timbre_mean = take(sound.timbre_means);
  record.timbre_covariance = take(sound.timbre_covariances);
  return timbre_of(record);
}

// Cosines of fields of zero mean and unit variance over the items that were played and have a sound.
Matrix<double> cosines(const ItemSound& sound, double rhythm = 1) {
  const std::size_t f = audio::fingerprint_fields().size(), all = f + audio::statistics_fields().size();
  const auto at = [&](std::size_t i, std::size_t c) {
    return static_cast<double>(c < f ? sound.fingerprints[i * f + c] : sound.statistics[i * (all - f) + c - f]);
  };
  const auto part = [&](std::size_t c) {
    return c < f ? audio::fingerprint_fields()[c].part : audio::statistics_fields()[c - f].part;
  };
  Matrix<double> z = Matrix<double>::Zero(kItems, static_cast<Eigen::Index>(all));
  for (std::size_t c = 0; c < all; ++c) {
    double mean = 0, squares = 0, n = 0;
    for (std::size_t i = 0; i < 40; ++i)
      if (i != 7 && i % 5 != 4) mean += at(i, c), ++n;
    mean /= n;
    for (std::size_t i = 0; i < 40; ++i)
      if (i != 7 && i % 5 != 4) squares += (at(i, c) - mean) * (at(i, c) - mean);
    const double weight = part(c) == audio::SoundPart::kRhythm ? rhythm : 1;
    for (std::size_t i = 0; i < kItems; ++i)
      if (i != 7)
        z(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(c)) =
            std::sqrt(weight) * std::clamp((at(i, c) - mean) / std::sqrt(squares / n), -5.0, 5.0);
  }
  for (Eigen::Index i = 0; i < z.rows(); ++i)
    if (z.row(i).norm() > 0) z.row(i) /= z.row(i).norm();
  Matrix<double> out(kItems, kItems);
  for (Eigen::Index i = 0; i < out.rows(); ++i)
    for (Eigen::Index j = 0; j < out.cols(); ++j) out(i, j) = z.row(i).dot(z.row(j));
  return out;
}

// Every part alike, and no whitening.
std::vector<std::pair<std::string, Value>> plain(std::vector<std::pair<std::string, Value>> more = {}) {
  more.emplace_back("whiten", Value::boolean(false));
  for (const char* part : {"harmony", "spectrum"}) more.emplace_back(part, Value::real(1));
  return more;
}

TEST(AudioMfcc, OneKnownItemGivesCosines) {
  const World world;
  for (const double rhythm : {1.0, 9.0}) {
    const auto model = world.fitted(plain({{"rhythm", Value::real(rhythm)}}));
    const Matrix<double> expected = cosines(*world.sound, rhythm);
    for (const std::size_t known : {std::size_t{0}, std::size_t{45}}) {
      const std::vector<ItemIdx> history{item_at(known)};
      const std::vector<float> scores = ask(*model, {.history = history});
      for (std::size_t i = 0; i < kItems; ++i) {
        if (i == 7)
          EXPECT_EQ(scores[i], -kInf);
        else
          EXPECT_NEAR(scores[i], expected(static_cast<Eigen::Index>(known), static_cast<Eigen::Index>(i)), 2e-6);
      }
    }
  }
}

// 1 + t ln sum of c_j e^((s_ij - 1) / t), less what is disliked.
TEST(AudioMfcc, AHistoryIsASoftMaximum) {
  const World world;
  const Matrix<double> s = cosines(*world.sound);
  const std::vector<ItemIdx> history{item_at(3), item_at(10), item_at(20), item_at(50)};
  const std::vector<float> weights{1, 3, -2, 1};
  for (const double t : {0.05, 1.0, 1000.0}) {
    const auto model = world.fitted(
        plain({{"temperature", Value::real(t)}, {"weights", Value::string("raw")}, {"dislike", Value::real(0.5)}}));
    const std::vector<float> scores = ask(*model, {.history = history, .weights = weights});
    for (std::size_t i = 0; i < kItems; ++i) {
      if (i == 7) continue;
      const auto k = [&](Eigen::Index j) { return std::exp((s(j, static_cast<Eigen::Index>(i)) - 1) / t); };
      const double liked = 1 + t * std::log(0.2 * k(3) + 0.6 * k(10) + 0.2 * k(50));
      const double disliked = 1 + t * std::log(k(20));
      EXPECT_NEAR(scores[i], liked - 0.5 * disliked, t > 100 ? 3e-4 : 4e-6) << t << ' ' << i;
    }
  }
}

// Fields that say the same count as one, and what was learned from is uncorrelated within a part.
TEST(FingerprintDirections, WhitenedFieldsAreUncorrelatedWithinAPart) {
  World world;
  auto sound = std::make_shared<ItemSound>(*world.sound);
  Rng rng(8);
  std::vector<std::array<double, audio::kSoundParts>> shared(kItems);
  for (auto& item : shared)
    for (double& s : item) s = rng.normal();
  const auto correlated = [&](const std::vector<audio::FingerprintField>& fields) {
    std::vector<float> x;
    for (std::size_t i = 0; i < kItems; ++i)
      for (const audio::FingerprintField& field : fields)
        x.push_back(static_cast<float>(5 * shared[i][static_cast<std::size_t>(field.part)] + 0.2 * rng.normal()));
    return x;
  };
  sound->fingerprints = correlated(audio::fingerprint_fields());
  sound->statistics = correlated(audio::statistics_fields());
  const std::vector<std::uint8_t> among(kItems, 1);
  const auto mean_square = [&](bool whiten) {  // of correlations within the timbre of statistics, which comes first
    const Matrix<float> z = fingerprint_directions(*sound, among, {1, 1, 1, 1}, whiten);
    double sum = 0, n = 0;
    for (Eigen::Index a = 0; a < 60; ++a)
      for (Eigen::Index b = 0; b < a; ++b) {
        const Vector<double> p = z.col(a).cast<double>(), q = z.col(b).cast<double>();
        sum += std::pow(p.dot(q) / (p.norm() * q.norm()), 2);
        ++n;
      }
    return sum / n;
  };
  EXPECT_GT(mean_square(false), 0.9);
  EXPECT_LT(mean_square(true), 0.1);
}

TEST(TimbreVectors, ProductsAreDivergences) {
  const World world;
  std::vector<std::uint8_t> among(kItems, 1);
  const TimbreVectors v = timbre_vectors(*world.sound, among);
  for (std::size_t a = 0; a < kItems; a += 7) {
    for (std::size_t b = 1; b < kItems; b += 4) {
      if (a == 7 || b == 7) continue;
      const float product = v.asking.row(static_cast<Eigen::Index>(a)).dot(v.asked.row(static_cast<Eigen::Index>(b)));
      const double expected = symmetric_kl(timbre(*world.sound, a), timbre(*world.sound, b));
      EXPECT_NEAR(timbre_divergence(product, static_cast<std::size_t>(v.asked.cols())), expected,
                  1e-3 + 1e-5 * expected)
          << a << ' ' << b;
    }
    if (a == 7) continue;
    const auto row = static_cast<Eigen::Index>(a);
    EXPECT_NEAR(timbre_divergence(v.asking.row(row).dot(v.asked.row(row)), static_cast<std::size_t>(v.asked.cols())), 0,
                1e-3);
  }
}

TEST(AudioMfcc, TimbreIsCloseWhereDivergencesAreSmall) {
  const World world;
  const auto model = world.fitted({{"distance", Value::string("timbre")}});
  const std::vector<ItemIdx> history{item_at(12)};
  const std::vector<float> scores = ask(*model, {.history = history});
  EXPECT_NEAR(scores[12], 1, 1e-3);
  std::vector<std::pair<double, float>> pairs;
  for (std::size_t i = 0; i < kItems; ++i)
    if (i != 7) pairs.emplace_back(symmetric_kl(timbre(*world.sound, 12), timbre(*world.sound, i)), scores[i]);
  std::sort(pairs.begin(), pairs.end());
  for (std::size_t n = 1; n < pairs.size(); ++n) {
    EXPECT_LE(pairs[n].second, pairs[n - 1].second + 1e-4f);
    // ln of likeness is proportional to divergence.
    if (n == 1) continue;
    EXPECT_NEAR(std::log(pairs[n].second) / std::log(pairs[1].second), pairs[n].first / pairs[1].first, 0.02);
  }
}

// Schnitzer et al. 2012: the probability that a random other is less alike to one, times the same for the other.
TEST(AudioMfcc, MutualProximityIsThatOfIndependentNormals) {
  const World world;
  const auto model = world.fitted(plain({{"mutual_proximity", Value::boolean(true)}}));
  const Matrix<double> s = cosines(*world.sound);
  std::vector<double> mean(kItems, 0), deviation(kItems, 0);
  for (std::size_t i = 0; i < kItems; ++i) {
    const auto each = [&](auto&& visit) {
      for (std::size_t j = 0; j < kItems; ++j)
        if (j != i && j != 7) visit(s(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)));
    };
    const double n = i == 7 ? 59 : 58;
    each([&](double x) { mean[i] += x / n; });
    each([&](double x) { deviation[i] += (x - mean[i]) * (x - mean[i]) / n; });
    deviation[i] = std::sqrt(deviation[i]);
  }
  for (const std::size_t known : {std::size_t{0}, std::size_t{45}}) {
    const std::vector<ItemIdx> history{item_at(known)};
    const std::vector<float> scores = ask(*model, {.history = history});
    for (std::size_t i = 0; i < kItems; ++i) {
      if (i == 7) continue;
      const double x = s(static_cast<Eigen::Index>(known), static_cast<Eigen::Index>(i));
      const auto below = [&](std::size_t of) {
        return 0.5 * std::erfc((mean[of] - x) / (deviation[of] * std::sqrt(2.0)));
      };
      EXPECT_NEAR(scores[i], below(known) * below(i), 1e-5) << known << ' ' << i;
    }
  }
}

TEST(AudioMfcc, KnowsNothingWithoutSound) {
  const World world;
  const auto model = world.fitted({});
  const std::vector<ItemIdx> silent{item_at(7)};
  for (const Query& query : {Query{}, Query{.history = silent}}) {
    const std::vector<float> scores = ask(*model, query);
    for (std::size_t i = 0; i < kItems; ++i) EXPECT_EQ(scores[i], i == 7 ? -kInf : 0);
  }
  World deaf;
  deaf.facets = {};
  deaf.facets.set_dataset_name("toy");
  EXPECT_THAT(test::message_of<DataError>([&] { deaf.fitted({}); }), testing::HasSubstr("'item_sound'"));
  EXPECT_THAT(test::message_of<UsageError>([&] {
                make({{"timbre", Value::real(0)},
                      {"harmony", Value::real(0)},
                      {"rhythm", Value::real(0)},
                      {"spectrum", Value::real(0)}});
              }),
              testing::HasSubstr("all four weigh 0"));
}

TEST(AudioMfcc, BatchesAndStoredModelsAgree) {
  const World world;
  for (const char* distance : {"fingerprint", "timbre"}) {
    for (const bool proximity : {false, true}) {
      const std::vector<std::pair<std::string, Value>> params{{"distance", Value::string(distance)},
                                                              {"mutual_proximity", Value::boolean(proximity)},
                                                              {"max_history", Value::integer(3)}};
      const auto model = world.fitted(params);
      const std::vector<Query> queries = test::every_user(5);
      test::expect_batches_agree(*model, queries);
      test::MemoryArchive archive;
      model->save(archive.writer());
      const auto loaded = make(params);
      loaded->load(archive.reader());
      EXPECT_TRUE(test::same_bits(test::scores_of(*loaded, queries), test::scores_of(*model, queries)));
    }
  }
}

}  // namespace
}  // namespace segue
