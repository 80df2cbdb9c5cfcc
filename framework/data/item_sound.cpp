#include "framework/data/item_sound.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "framework/audio/feature_file.hpp"
#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/log.hpp"

namespace segue {

namespace fs = std::filesystem;
using audio::FeatureFile;
using audio::TrackRecord;

namespace {

constexpr double kSaveEvery = 60;  // s: what an interruption costs at most

// Records by identity, ascending. A cache is no more than time saved: a damaged one is made anew.
std::map<std::string, TrackRecord> load_cache(const fs::path& file, const std::string& definition) {
  std::map<std::string, TrackRecord> out;
  std::error_code none;
  if (!fs::exists(file, none)) return out;
  try {
    FeatureFile stored = FeatureFile::load(file);
    if (stored.definition != definition) return out;
    for (TrackRecord& record : stored.tracks) {
      std::string identity = record.file.path;
      out.emplace(std::move(identity), std::move(record));
    }
  } catch (const Error& error) {
    log_warning("{}; it is made anew", error.what());
  }
  return out;
}

void save_cache(const fs::path& file, const std::string& definition, const std::string& name,
                const std::map<std::string, TrackRecord>& records) {
  FeatureFile out{definition, name, {}, {}};
  for (const auto& [identity, record] : records) out.tracks.push_back(record);
  try {
    fs::create_directories(file.parent_path());
    out.save(file);
  } catch (const std::exception& error) {
    log_warning("what was heard cannot be kept: {}", error.what());  // costs time, not correctness
  }
}

TrackRecord listen(const DatasetLoader& loader, std::string_view source, const std::string& identity) {
  const audio::FeatureSettings settings;
  const std::unique_ptr<audio::SampleSource> sound = loader.sound(source, settings.sample_rate);
  audio::Excerpt excerpt = audio::Excerpt::middle(*sound, kHeardSeconds);
  return record_of({identity, 0, 0}, analyze_track(excerpt, settings));
}

}  // namespace

std::string item_sound_definition() {
  return fmt::format("middle={:g}s {}", kHeardSeconds, audio::fingerprint_definition({}));
}

std::shared_ptr<const ItemSound> hear_items(const Dataset& dataset, const DatasetLoader& loader, const fs::path& cache,
                                            const Executor& exec,
                                            const std::function<bool(const ListeningProgress&)>& progress) {
  const ItemAudio& audio = dataset.facets.require<ItemAudio>();
  const std::size_t n = audio.sources.size();
  const std::string definition = item_sound_definition();
  const fs::path file =
      cache / "sound" / fmt::format("{}-{}.h5", dataset.name, Hasher().add(definition).hex().substr(0, 12));

  std::map<std::string, TrackRecord> known = load_cache(file, definition);
  std::map<std::string, std::string> failures;  // reason by source
  std::vector<std::string> identities(n);
  std::map<std::string, std::string_view> unheard;  // source by identity
  exec.for_blocks(n, 64, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (audio.sources[i].empty()) continue;
      try {
        identities[i] = loader.sound_identity(audio.sources[i]);
      } catch (const DataError&) {
        // Listening to it will say the same.
        identities[i] = fmt::format("unreadable {}", audio.sources[i]);
      }
    }
  });
  for (std::size_t i = 0; i < n; ++i)
    if (!identities[i].empty() && !known.contains(identities[i])) unheard.emplace(identities[i], audio.sources[i]);

  const std::vector<std::pair<std::string, std::string_view>> work(unheard.begin(), unheard.end());
  std::mutex mutex;
  ListeningProgress so_far{.total = work.size()};
  Stopwatch since_save;
  std::atomic<bool> stopped = false;
  exec.for_blocks(work.size(), 1, [&](std::size_t w, std::size_t) {
    if (stopped) return;
    const auto& [identity, source] = work[w];
    TrackRecord record;
    std::string reason;
    try {
      record = listen(loader, source, identity);
    } catch (const DataError& error) {
      reason = error.what();
    }
    const std::lock_guard lock(mutex);
    ++so_far.done;
    so_far.sound_seconds += record.seconds;
    if (reason.empty())
      known.emplace(identity, std::move(record));
    else
      failures.emplace(std::string(source), reason);
    if (progress && !progress(so_far)) stopped = true;
    if (since_save.seconds() < kSaveEvery) return;
    save_cache(file, definition, dataset.name, known);
    since_save.restart();
  });
  if (work.size() > failures.size()) save_cache(file, definition, dataset.name, known);
  if (stopped) return nullptr;

  std::vector<std::uint8_t> heard(n, 0);
  struct Rows {
    std::vector<float> TrackRecord::*from;
    Array<float> ItemSound::*to;
    std::vector<float> values{};
  };
  Rows all[] = {{&TrackRecord::fingerprint, &ItemSound::fingerprints},
                {&TrackRecord::statistics, &ItemSound::statistics},
                {&TrackRecord::timbre_mean, &ItemSound::timbre_means},
                {&TrackRecord::timbre_covariance, &ItemSound::timbre_covariances}};
  for (std::size_t i = 0; i < n; ++i) {
    const auto it = known.find(identities[i]);
    if (it == known.end()) continue;
    heard[i] = 1;
    for (Rows& rows : all) {
      const std::vector<float>& row = it->second.*rows.from;
      rows.values.resize(n * row.size());  // on the first: all have the same size
      std::copy(row.begin(), row.end(), rows.values.begin() + static_cast<std::ptrdiff_t>(i * row.size()));
    }
  }
  const auto sounding = std::count(heard.begin(), heard.end(), std::uint8_t{1});
  if (sounding == 0)
    throw DataError("data set '{}': no item can be heard{}", dataset.name,
                    failures.empty() ? "" : fmt::format("; the first says: {}", failures.begin()->second));
  if (!failures.empty())
    log_warning("{}: {} of {} sounds cannot be read; the first says: {}", dataset.name, failures.size(), n,
                failures.begin()->second);
  auto out = std::make_shared<ItemSound>();
  out->definition = definition;
  out->heard = std::move(heard);
  for (Rows& rows : all) (*out).*rows.to = std::move(rows.values);
  return out;
}

}  // namespace segue
