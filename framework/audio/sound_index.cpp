#include "framework/audio/sound_index.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "framework/audio/distractors.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/h5/file.hpp"

namespace segue::audio {

namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr const char *kTracks = "tracks.h5", *kVectors = "vectors.idx", *kLandmarks = "landmarks.idx";

std::span<const float> row_of(const HeardRecording& r, std::size_t row) {
  return std::span(r.vectors).subspan(row * sound_vector_size(), sound_vector_size());
}

void place(const Standardiser& scale, std::span<const float> vector, std::span<float> to) {
  const std::vector<float>& weights = sound_vector_weights();
  std::ranges::fill(to, 0.0f);
  const std::span<float> used = to.first(vector.size());
  std::ranges::copy(vector, used.begin());
  scale.apply(used);
  for (std::size_t i = 0; i < used.size(); ++i) used[i] *= weights[i];
}

constexpr int kDefinition = 2;  // raise when equal recordings and settings make another index

// Equal texts, equal indexes.
std::string made_of(const HeardFile& heard, const SoundIndexSettings& s) {
  Hasher hasher;
  hasher.add(kDefinition).add(heard.definition).add(heard.recordings.size());
  for (const HeardRecording& r : heard.recordings) hasher.add(r.file.path).add(r.file.bytes).add(r.file.modified);
  const IndexSettings& v = s.vectors;
  hasher.add(to_text(v.kind)).add(v.links).add(v.build_width).add(v.lists).add(v.code_bytes).add(v.seed);
  hasher.add(v.effort.search_width).add(v.effort.probes).add(v.effort.rerank);
  return hasher.add(s.windows).add(s.distractors).add(s.seed).hex();
}

}  // namespace

bool SoundIndex::is_of(const fs::path& folder, const HeardFile& heard, const SoundIndexSettings& settings) {
  std::error_code ignored;
  return fs::exists(folder / kTracks, ignored) &&
         H5Reader(folder / kTracks).attribute_text("/", "made_of") == made_of(heard, settings);
}

void SoundIndex::build(const fs::path& folder, const HeardFile& heard, const SoundIndexSettings& settings,
                       const Executor& exec, const IndexProgress& progress) {
  SEGUE_CHECK(sound_vector_size() <= kSoundDims, "vectors of {} numbers", sound_vector_size());
  const std::vector<HeardRecording>& all = heard.recordings;
  if (all.empty()) throw UsageError("there are no recordings to index");
  std::error_code ignored;
  fs::remove(folder / kTracks, ignored);

  // Scales are those of whole recordings, one a row.
  std::vector<std::string> paths;
  std::vector<double> seconds, begins;
  std::vector<std::uint32_t> track_of;
  Matrix<float> wholes(static_cast<Eigen::Index>(all.size()), static_cast<Eigen::Index>(sound_vector_size()));
  for (std::size_t t = 0; t < all.size(); ++t) {
    paths.push_back(all[t].file.path);
    seconds.push_back(all[t].seconds);
    std::ranges::copy(row_of(all[t], 0), row_span(wholes, t).begin());
    for (const double begin : all[t].begins) {
      track_of.push_back(static_cast<std::uint32_t>(t));
      begins.push_back(begin);
    }
  }
  const Standardiser scale = Standardiser::learn(wholes);
  Matrix<float> rows(static_cast<Eigen::Index>(track_of.size()), static_cast<Eigen::Index>(kSoundDims));
  for (std::size_t t = 0, r = 0; t < all.size(); ++t)
    for (std::size_t w = 0; w < all[t].begins.size(); ++w, ++r) place(scale, row_of(all[t], w), row_span(rows, r));
  const auto vectors = make_index(kSoundDims, settings.vectors);
  if (settings.distractors > 0) {
    const Matrix<float> more = resampled_rows(rows, settings.distractors, Rng(settings.seed), exec);
    rows.conservativeResize(rows.rows() + more.rows(), Eigen::NoChange);
    rows.bottomRows(more.rows()) = more;
  }
  vectors->add(rows, exec, progress);
  vectors->save(folder / kVectors);

  std::vector<std::vector<Landmark>> landmarks;
  for (const HeardRecording& r : all) landmarks.push_back(r.landmarks);
  LandmarkIndex::build(landmarks, {}, exec).save(folder / kLandmarks);

  H5Writer out(folder / kTracks);
  out.attribute("/", "version", kVersion);
  out.attribute("/", "definition", heard.definition);
  out.attribute("/", "made_of", made_of(heard, settings));
  out.attribute("/", "windows", settings.windows);
  out.attribute("/", "distractors", settings.distractors);
  out.strings("/tracks/path", paths);
  out.array("/tracks/seconds", seconds);
  out.array("/rows/track", track_of);
  out.array("/rows/begin_s", begins);
  out.array("/scale/mean", scale.mean());
  out.array("/scale/scale", scale.scale());
  out.commit();
}

bool SoundIndex::is_index(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kTracks, ignored) || fs::exists(heard_path(folder), ignored);
}

SoundIndex SoundIndex::open(const fs::path& folder) {
  if (!is_index(folder)) throw DataError("{}: not an index of `segue audio index`", folder.string());
  std::error_code ignored;
  if (!fs::exists(folder / kTracks, ignored))
    throw DataError("{}: this index was not finished; run `segue audio index` again, which goes on where it ended",
                    folder.string());
  const H5Reader in(folder / kTracks);
  if (in.attribute_int("/", "version") != kVersion)
    throw DataError("{}: version {} of the index's layout, and this program reads {}; build it anew", folder.string(),
                    in.attribute_int("/", "version"), kVersion);
  SoundIndex out;
  out.windows_ = static_cast<std::size_t>(in.attribute_int("/", "windows"));
  out.distractors_ = static_cast<std::size_t>(in.attribute_int("/", "distractors"));
  if (in.attribute_text("/", "definition").value_or("") != heard_definition(out.windows_))
    throw DataError("{}: was heard with other definitions than this program's; run `segue audio index` again",
                    folder.string());
  out.paths_ = in.strings("/tracks/path");
  out.seconds_ = in.array<double>("/tracks/seconds");
  out.track_of_ = in.array<std::uint32_t>("/rows/track");
  out.begins_ = in.array<double>("/rows/begin_s");
  out.scale_ = Standardiser(in.array<float>("/scale/mean"), in.array<float>("/scale/scale"));
  out.vectors_ = load_index(folder / kVectors);
  out.landmarks_ = LandmarkIndex::open(folder / kLandmarks);
  const std::size_t n = out.paths_.size(), rows = out.track_of_.size();
  if (out.seconds_.size() != n || out.begins_.size() != rows || out.scale_.mean().size() != sound_vector_size() ||
      out.vectors_->dims() != kSoundDims || out.vectors_->rows() != rows + out.distractors_ ||
      out.landmarks_.tracks() != n || std::ranges::any_of(out.track_of_, [&](std::uint32_t t) { return t >= n; }))
    throw DataError("{}: its files do not fit each other; build the index anew", folder.string());
  return out;
}

std::string SoundIndex::path(std::uint32_t track) const {
  return track < paths_.size() ? paths_[track] : fmt::format("distractor {:06}", track - paths_.size());
}

std::vector<float> SoundIndex::placed(std::vector<float> sound_vector) const {
  std::vector<float> out(kSoundDims);
  place(scale_, sound_vector, out);
  return out;
}

std::vector<SimilarRecording> SoundIndex::similar(std::span<const float> placed, std::size_t count) const {
  std::vector<Neighbour> near(std::min(count * (1 + windows_), vectors_->size()));
  near.resize(vectors_->search(placed, near));
  std::vector<SimilarRecording> out;
  for (const Neighbour& n : near) {  // nearest first: the first row of a recording is its nearest
    const bool recording = n.row < track_of_.size();
    const auto track =
        recording ? track_of_[n.row] : static_cast<std::uint32_t>(paths_.size() + n.row - track_of_.size());
    if (out.size() == count) break;
    if (std::ranges::find(out, track, &SimilarRecording::track) != out.end()) continue;
    out.push_back({track, std::sqrt(static_cast<double>(n.distance)), recording ? begins_[n.row] : 0});
  }
  std::ranges::sort(out, {}, [](const SimilarRecording& r) { return std::pair(r.distance, r.track); });
  out.resize(std::min(out.size(), count));
  return out;
}

}  // namespace segue::audio
