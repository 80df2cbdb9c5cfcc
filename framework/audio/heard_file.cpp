#include "framework/audio/heard_file.hpp"

#include <algorithm>
#include <numeric>

#include "framework/audio/file_marks.hpp"
#include "framework/base/errors.hpp"
#include "framework/h5/file.hpp"

namespace segue::audio {

namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;

template <class T>
std::vector<T> slice(const std::vector<T>& all, std::size_t begin, std::size_t count) {
  const auto from = all.begin() + static_cast<std::ptrdiff_t>(begin);
  return {from, from + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

HeardFile HeardFile::load(const fs::path& path) {
  const H5Reader in(path);
  if (!in.has_attribute("/", "definition") || !in.has("/vectors/values"))
    throw DataError("{}: not what `segue audio index` heard", path.string());
  if (in.attribute_int("/", "version") != kVersion)
    throw DataError("{}: version {} of the file's layout, and this program reads {}", path.string(),
                    in.attribute_int("/", "version"), kVersion);
  HeardFile out;
  out.definition = *in.attribute_text("/", "definition");
  out.recordings = load_marks<HeardRecording>(in, "/tracks");
  const std::size_t n = out.recordings.size();
  const auto seconds = in.array<double>("/tracks/seconds");
  const auto rows = in.array<std::uint32_t>("/tracks/rows");
  const auto landmarks = in.array<std::uint64_t>("/tracks/landmarks");
  const auto values = in.array<float>("/vectors/values");
  const auto begins = in.array<double>("/vectors/begin_s");
  const auto hashes = in.array<std::uint32_t>("/landmarks/hash"), frames = in.array<std::uint32_t>("/landmarks/frame");
  const std::size_t all_rows = std::accumulate(rows.begin(), rows.end(), std::size_t{0});
  const std::size_t all_landmarks = std::accumulate(landmarks.begin(), landmarks.end(), std::size_t{0});
  const std::size_t width = all_rows == 0 ? 0 : values.size() / all_rows;
  if (seconds.size() != n || rows.size() != n || landmarks.size() != n || begins.size() != all_rows ||
      values.size() != all_rows * width || hashes.size() != all_landmarks || frames.size() != all_landmarks)
    throw DataError("{}: its arrays do not fit each other", path.string());
  std::size_t row = 0, landmark = 0;
  for (std::size_t i = 0; i < n; ++i) {
    HeardRecording& r = out.recordings[i];
    r.seconds = seconds[i];
    r.vectors = slice(values, row * width, rows[i] * width);
    r.begins = slice(begins, row, rows[i]);
    row += rows[i];
    for (const std::size_t end = landmark + landmarks[i]; landmark < end; ++landmark)
      r.landmarks.push_back({hashes[landmark], frames[landmark]});
  }
  return out;
}

void HeardFile::save(const fs::path& path) const {
  H5Writer out(path, H5Packing::kNone);
  out.attribute("/", "version", kVersion);
  out.attribute("/", "definition", definition);
  save_marks(out, "/tracks", recordings);
  std::vector<double> seconds, begins;
  std::vector<std::uint32_t> rows, hashes, frames;
  std::vector<std::uint64_t> landmarks;
  std::vector<float> values;
  for (const HeardRecording& r : recordings) {
    seconds.push_back(r.seconds);
    rows.push_back(static_cast<std::uint32_t>(r.begins.size()));
    landmarks.push_back(r.landmarks.size());
    values.insert(values.end(), r.vectors.begin(), r.vectors.end());
    begins.insert(begins.end(), r.begins.begin(), r.begins.end());
    for (const Landmark& l : r.landmarks) {
      hashes.push_back(l.hash);
      frames.push_back(l.frame);
    }
  }
  SEGUE_CHECK(values.size() == begins.size() * sound_vector_size(), "{} numbers for {} rows", values.size(),
              begins.size());
  out.array("/tracks/seconds", seconds);
  out.array("/tracks/rows", rows);
  out.array("/tracks/landmarks", landmarks);
  out.array("/vectors/values", values, {begins.size(), sound_vector_size()});
  out.array("/vectors/begin_s", begins);
  out.array("/landmarks/hash", hashes);
  out.array("/landmarks/frame", frames);
  out.commit();
}

}  // namespace segue::audio
