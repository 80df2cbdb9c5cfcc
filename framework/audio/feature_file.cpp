#include "framework/audio/feature_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include "framework/audio/file_marks.hpp"
#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 2;
constexpr std::array kEndings = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3",
                                 ".aif", ".aiff", ".au",  ".caf", ".w64"};

// The numbers of a record that stand in arrays of their own.
struct Column {
  const char* name;
  double TrackRecord::*member;
};
constexpr std::array kColumns = {
    Column{"seconds", &TrackRecord::seconds},           Column{"tempo_bpm", &TrackRecord::tempo_bpm},
    Column{"loudness_lufs", &TrackRecord::loudness},    Column{"energy", &TrackRecord::energy},
    Column{"danceability", &TrackRecord::danceability}, Column{"centroid_hz", &TrackRecord::centroid}};
struct Rows {
  const char* name;
  std::vector<float> TrackRecord::*member;
};
constexpr std::array kRows = {
    Rows{"fingerprint", &TrackRecord::fingerprint}, Rows{"statistics", &TrackRecord::statistics},
    Rows{"timbre_mean", &TrackRecord::timbre_mean}, Rows{"timbre_covariance", &TrackRecord::timbre_covariance}};

}  // namespace

FeatureFile FeatureFile::load(const fs::path& path) {
  const H5Reader in(path);
  if (!in.has_attribute("/", "definition") || !in.has("/tracks/path"))
    throw DataError("{}: not a file of `segue audio extract`", path.string());
  if (in.attribute_int("/", "version") != kVersion)
    throw DataError("{}: version {} of the file's layout, and this program reads {}", path.string(),
                    in.attribute_int("/", "version"), kVersion);
  FeatureFile out;
  out.definition = *in.attribute_text("/", "definition");
  out.folder = in.attribute_text("/", "folder").value_or("");
  out.tracks = load_marks<TrackRecord>(in, "/tracks");
  const std::size_t n = out.tracks.size();
  const auto expect = [&](const std::string& name, std::size_t have, bool fits) {
    if (!fits) throw DataError("{}: '/tracks/{}' holds {} numbers for {} tracks", path.string(), name, have, n);
  };
  for (const Column& c : kColumns) {
    const auto values = in.array<double>(std::string("/tracks/") + c.name);
    expect(c.name, values.size(), values.size() == n);
    for (std::size_t i = 0; i < n; ++i) out.tracks[i].*c.member = values[i];
  }
  for (const Rows& r : kRows) {
    const auto values = in.array<float>(std::string("/tracks/") + r.name);
    expect(r.name, values.size(), n == 0 ? values.empty() : values.size() % n == 0);
    const std::size_t width = n == 0 ? 0 : values.size() / n;
    for (std::size_t i = 0; i < n; ++i) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * width);
      (out.tracks[i].*r.member).assign(begin, begin + static_cast<std::ptrdiff_t>(width));
    }
  }
  const std::vector<std::string> keys = in.strings("/tracks/key");
  expect("key", keys.size(), keys.size() == n);
  for (std::size_t i = 0; i < n; ++i) out.tracks[i].key = keys[i];
  out.failures = load_marks<Failure>(in, "/failures");
  const std::vector<std::string> reasons = in.strings("/failures/reason");
  if (reasons.size() != out.failures.size())
    throw DataError("{}: {} reasons for {} failures", path.string(), reasons.size(), out.failures.size());
  for (std::size_t i = 0; i < reasons.size(); ++i) out.failures[i].reason = reasons[i];
  return out;
}

void FeatureFile::save(const fs::path& path) const {
  H5Writer out(path);
  out.attribute("/", "version", kVersion);
  out.attribute("/", "definition", definition);
  out.attribute("/", "folder", folder);
  std::vector<std::string> names;
  for (const FingerprintField& f : fingerprint_fields()) names.push_back(f.name);
  out.strings("/fields", names);
  save_marks(out, "/tracks", tracks);
  for (const Column& c : kColumns) {
    std::vector<double> values;
    for (const TrackRecord& t : tracks) values.push_back(t.*c.member);
    out.array(std::string("/tracks/") + c.name, values);
  }
  for (const Rows& r : kRows) {
    std::vector<float> values;
    const std::size_t width = tracks.empty() ? 0 : (tracks[0].*r.member).size();
    for (const TrackRecord& t : tracks) {
      SEGUE_CHECK((t.*r.member).size() == width, "{} numbers of '{}' where others have {}", (t.*r.member).size(),
                  r.name, width);
      values.insert(values.end(), (t.*r.member).begin(), (t.*r.member).end());
    }
    out.array(std::string("/tracks/") + r.name, values, {tracks.size(), width});
  }
  std::vector<std::string> keys, reasons;
  for (const TrackRecord& t : tracks) keys.push_back(t.key);
  out.strings("/tracks/key", keys);
  save_marks(out, "/failures", failures);
  for (const Failure& f : failures) reasons.push_back(f.reason);
  out.strings("/failures/reason", reasons);
  out.commit();
}

TrackRecord record_of(const FileMark& file, const Track& track) {
  const TrackSummary& s = track.summary;
  TrackRecord out{file,
                  s.seconds,
                  s.tempo.bpm,
                  s.loudness,
                  s.energy,
                  s.danceability,
                  s.centroid,
                  to_text(s.key),
                  fingerprint(track),
                  frame_statistics(track),
                  {},
                  {}};
  const TimbreModel model = timbre_model(track.features.mfcc);
  for (Eigen::Index a = 0; a < model.mean.size(); ++a) {
    out.timbre_mean.push_back(static_cast<float>(model.mean[a]));
    for (Eigen::Index b = 0; b <= a; ++b) out.timbre_covariance.push_back(static_cast<float>(model.covariance(a, b)));
  }
  return out;
}

TimbreModel timbre_of(const TrackRecord& record) {
  const auto d = static_cast<Eigen::Index>(record.timbre_mean.size());
  SEGUE_CHECK(static_cast<Eigen::Index>(record.timbre_covariance.size()) == d * (d + 1) / 2,
              "a covariance of {} numbers", record.timbre_covariance.size());
  Vector<double> mean(d);
  Matrix<double> covariance(d, d);
  std::size_t at = 0;
  for (Eigen::Index a = 0; a < d; ++a) {
    mean[a] = static_cast<double>(record.timbre_mean[static_cast<std::size_t>(a)]);
    for (Eigen::Index b = 0; b <= a; ++b, ++at)
      covariance(a, b) = covariance(b, a) = static_cast<double>(record.timbre_covariance[at]);
  }
  return timbre_model(std::move(mean), std::move(covariance));
}

FileMark mark_of(const fs::path& file) {
  std::error_code missing;
  const std::uint64_t bytes = fs::file_size(file, missing);
  const auto changed = fs::last_write_time(file, missing);
  if (missing) return {file.string(), 0, 0};
  const auto since_1970 = std::chrono::file_clock::to_sys(changed).time_since_epoch();
  return {file.string(), bytes, std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count()};
}

std::vector<FileMark> find_recordings(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw DataError("{}: no such folder", folder.string());
  std::vector<FileMark> out;
  const auto options = fs::directory_options::skip_permission_denied | fs::directory_options::follow_directory_symlink;
  for (fs::recursive_directory_iterator it(folder, options, error), end; it != end && !error; it.increment(error)) {
    std::string ending = it->path().extension().string();
    std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::ranges::find(kEndings, ending) == kEndings.end() || !it->is_regular_file(error)) continue;
    if (it->path().filename().string().starts_with('.')) continue;  // hidden; macOS puts a ._song.mp3 beside a song.mp3
    out.push_back(mark_of(it->path()));
    out.back().path = it->path().lexically_relative(folder).generic_string();
  }
  if (error) throw EnvironmentError("{}: {}", folder.string(), error.message());
  std::ranges::sort(out, {}, &FileMark::path);
  return out;
}

}  // namespace segue::audio
