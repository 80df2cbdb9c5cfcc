// How fast loaders read, and how much memory they take beyond what they return: files in each format, generated in a
// temporary folder. SEGUE_BENCH_LOADER_MB says how large (64), SEGUE_DATA_DIR is not looked at.
//
// MB/s is of the file, from opening it to the finished data set, on one thread; `peak/result` is the most resident
// memory that loading added, over the bytes of the arrays of the data set.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <malloc.h>

#include "framework/base/rng.hpp"
#include "framework/data/loader.hpp"
#include "framework/data/user_facets.hpp"
#include "tests/support/temp_folder.hpp"

void segue_register_dataset_lastfm_1k(segue::DatasetRegistry& registry);
void segue_register_dataset_lastfm_360k(segue::DatasetRegistry& registry);
void segue_register_dataset_million_playlist(segue::DatasetRegistry& registry);
void segue_register_dataset_msd_taste_profile(segue::DatasetRegistry& registry);
void segue_register_dataset_thirtymusic(segue::DatasetRegistry& registry);

namespace segue::bench {
namespace {

std::size_t target_bytes() {
  const char* mb = std::getenv("SEGUE_BENCH_LOADER_MB");
  return std::size_t{1'000'000} * static_cast<std::size_t>(mb == nullptr ? 64 : std::max(1, std::atoi(mb)));
}

// What the formats hold: ids as functions of numbers, and numbers with Zipf popularity.
class World {
 public:
  std::size_t zipf(std::size_t n, double exponent) {
    const double e = 1 - exponent;
    const double rank = std::pow(std::pow(static_cast<double>(n), e) * rng_.uniform(), 1 / e);
    return std::min(n - 1, static_cast<std::size_t>(rank));
  }
  // At least 1, mean about `mean`, with a long tail.
  std::size_t count(double mean) { return 1 + static_cast<std::size_t>(-std::log(1 - rng_.uniform()) * mean); }
  std::uint64_t below(std::uint64_t n) { return rng_.below(n); }

  static std::string text(const char* letters, std::size_t length, std::uint64_t seed) {
    Rng rng(seed);
    const std::size_t n = std::char_traits<char>::length(letters);
    std::string out(length, ' ');
    for (char& c : out) c = letters[rng.below(n)];
    return out;
  }
  static std::string hex(std::size_t length, std::uint64_t seed) { return text("0123456789abcdef", length, seed); }
  static std::string mbid(std::uint64_t seed) {
    const std::string h = hex(32, seed);
    return fmt::format("{}-{}-{}-{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4), h.substr(16, 4),
                       h.substr(20));
  }
  static std::string name(std::uint64_t seed, std::size_t words) {
    Rng rng(seed);
    std::string out;
    for (std::size_t w = 1 + rng.below(words); w > 0; --w)
      out += text("abcdefghijklmnopqrstuvwxyz", 3 + rng.below(7), rng.next_u64()) + (w > 1 ? " " : "");
    return out;
  }

 private:
  Rng rng_{1};
};

// A pool of texts, since making each anew would take longer than reading it.
std::vector<std::string> pool(std::size_t n, const std::function<std::string(std::size_t)>& make) {
  std::vector<std::string> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = make(i);
  return out;
}

struct Format {
  std::string dataset, file;
  Value params;
  std::function<void(const std::filesystem::path& folder, const std::string& file)> write;
};

// Calls block() for pieces of text until the file is large enough.
void fill(const std::filesystem::path& path, const std::function<std::string(std::size_t)>& block) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  std::size_t written = 0;
  for (std::size_t n = 0; written < target_bytes(); ++n) {
    const std::string text = block(n);
    out << text;
    written += text.size();
  }
}

void write_triplets(const std::filesystem::path& folder, const std::string& file) {
  const auto songs = pool(384546, [](std::size_t i) { return "SO" + World::text("0123456789ABCDEF", 16, i); });
  World world;
  fill(folder / file, [&](std::size_t n) {
    const std::string user = World::hex(40, 1'000'000 + n);
    std::string out;
    for (std::size_t e = world.count(46); e > 0; --e)
      out += fmt::format("{}\t{}\t{}\n", user, songs[world.zipf(songs.size(), 0.8)], world.count(1.8));
    return out;
  });
}

void write_360k(const std::filesystem::path& folder, const std::string& file) {
  const auto names = pool(290000, [](std::size_t i) { return World::name(i, 3); });
  const auto ids = pool(290000, [](std::size_t i) { return i % 3 == 0 ? "" : World::mbid(i); });
  World world;
  fill(folder / file, [&](std::size_t n) {
    const std::string user = World::hex(40, 1'000'000 + n);
    std::string out;
    for (std::size_t e = 0; e < 49; ++e) {
      const std::size_t artist = world.zipf(names.size(), 0.8);
      out += fmt::format("{}\t{}\t{}\t{}\n", user, ids[artist], names[artist], 20000 / (e + 1) + 1);
    }
    return out;
  });
}

void write_1k(const std::filesystem::path& folder, const std::string& file) {
  const auto artists = pool(170000, [](std::size_t i) { return World::name(i, 2); });
  const auto tracks = pool(1'500'000, [](std::size_t i) { return World::name(7'000'000 + i, 4); });
  const auto ids = pool(1'500'000, [](std::size_t i) { return i % 8 == 0 ? "" : World::mbid(i); });
  World world;
  fill(folder / file, [&](std::size_t n) {
    std::int64_t time = 1241395200;
    std::string out;
    for (std::size_t e = world.count(19300); e > 0; --e) {
      const std::size_t track = world.zipf(tracks.size(), 0.5), artist = track * 31 % artists.size();
      time -= static_cast<std::int64_t>(world.count(2500));
      out += fmt::format("user_{:06}\t{:%Y-%m-%dT%H:%M:%S}Z\t{}\t{}\t{}\t{}\n", n + 1, fmt::gmtime(time), ids[artist],
                         artists[artist], ids[track], tracks[track]);
    }
    return out;
  });
}

void write_slices(const std::filesystem::path& folder, const std::string&) {
  constexpr const char* kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto uri = [&](const char* kind, std::uint64_t i) {
    return fmt::format("spotify:{}:{}", kind, World::text(kBase62, 22, i));
  };
  constexpr std::size_t kTracks = 2'262'292, kArtists = 295'860;
  World world;
  std::size_t written = 0;
  std::filesystem::create_directories(folder / "mpd");
  for (std::size_t slice = 0; written < target_bytes(); ++slice) {
    std::string out = "{\n    \"info\": {\n        \"version\": \"v1\"\n    }, \n    \"playlists\": [";
    for (std::size_t p = 0; p < 1000; ++p) {
      out += fmt::format(
          "{}\n        {{\n            \"name\": \"{}\", \n            \"pid\": {}, \n            \"modified_at\": "
          "1493424000, \n"
          "            \"num_followers\": 1, \n            \"tracks\": [",
          p > 0 ? ", " : "", World::name(p, 2), slice * 1000 + p);
      for (std::size_t t = 0, n = 4 + world.count(62); t < n; ++t) {
        const std::size_t track = world.zipf(kTracks, 0.75), artist = track * 7 % kArtists;
        out += t > 0 ? ", " : "";
        out += "\n                {";
        const auto field = [&](const char* key, const std::string& value, bool last = false) {
          out += fmt::format("\n                    \"{}\": {}{}", key, value, last ? "" : ", ");
        };
        const auto quoted = [](const std::string& s) { return '"' + s + '"'; };
        field("pos", std::to_string(t));
        field("artist_name", quoted(World::name(artist, 2)));
        field("track_uri", quoted(uri("track", track)));
        field("artist_uri", quoted(uri("artist", 5'000'000 + artist)));
        field("track_name", quoted(World::name(9'000'000 + track, 4) + (track % 20 == 0 ? " caf\\u00e9" : "")));
        field("album_uri", quoted(uri("album", 6'000'000 + track)));
        field("duration_ms", std::to_string(200'000 + track % 99'999));
        field("album_name", quoted(World::name(track / 3, 3)), true);
        out += "\n                }";
      }
      out += "\n            ], \n            \"num_edits\": 6\n        }";
    }
    out += "\n    ]\n}";
    std::ofstream(folder / "mpd" / fmt::format("mpd.slice.{}-{}.json", slice * 1000, slice * 1000 + 999)) << out;
    written += out.size();
  }
}

void write_sessions(const std::filesystem::path& folder, const std::string& file) {
  World world;
  fill(folder / file, [&](std::size_t n) {
    std::string tracks;
    std::size_t start = 0;
    for (std::size_t t = 0, count = world.count(11); t < count; ++t) {
      const std::size_t seconds = 20 + world.below(380);
      tracks +=
          fmt::format(R"({}{{"type":"track","id":{},"playstart":{},"playtime":{},"playratio":{:.2f},"action":"play"}})",
                      t > 0 ? "," : "", world.zipf(5'600'000, 0.7), start, seconds, static_cast<double>(seconds) / 400);
      start += seconds;
    }
    return fmt::format(
        "event.session\t{}\t{}\t{{\"numtracks\":1,\"playtime\":{}}} "
        "{{\"subjects\":[{{\"type\":\"user\",\"id\":{}}}],\"objects\":[{}]}}\n",
        n, 1'390'000'000 + world.below(30'000'000), start, 1 + world.below(45167), tracks);
  });
}

std::size_t bytes_of(const StringTable& t) { return t.bytes().size() + 8 * t.offsets().size(); }
std::size_t bytes_of(const Vocab& v) { return bytes_of(v.table()) + 8 * v.keys().size(); }
std::size_t bytes_of(const Dataset& data) {
  std::size_t n = bytes_of(data.users) + bytes_of(data.items) + 25 * data.events.size();
  if (const auto* f = data.facets.find<ItemText>()) n += bytes_of(f->titles);
  if (const auto* f = data.facets.find<ItemArtist>()) n += bytes_of(f->artists) + 4 * f->artist_of.size();
  if (const auto* f = data.facets.find<UserText>()) n += bytes_of(f->titles);
  return n;
}

// A line "VmHWM:   123 kB" of this process, in bytes.
std::size_t memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field)) return std::size_t{1024} * std::strtoull(line.c_str() + field.size() + 1, nullptr, 10);
  return 0;
}

void load(benchmark::State& state, const Format& format) {
  const test::TempFolder folder;
  format.write(folder.path(), format.file);
  std::size_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    if (entry.is_regular_file()) bytes += entry.file_size();
  DatasetRegistry registry;
  segue_register_dataset_lastfm_1k(registry);
  segue_register_dataset_lastfm_360k(registry);
  segue_register_dataset_million_playlist(registry);
  segue_register_dataset_msd_taste_profile(registry);
  segue_register_dataset_thirtymusic(registry);
  const auto loader = registry.find(format.dataset).make();
  double peak = 0, result = 1, events = 0;
  for (auto _ : state) {
    state.PauseTiming();
    malloc_trim(0);
    const std::size_t before = memory("VmRSS");
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    state.ResumeTiming();
    const Dataset data = loader->load(format.params, DataRoots{{folder.path()}});
    state.PauseTiming();
    peak = static_cast<double>(memory("VmHWM") - before);
    result = static_cast<double>(bytes_of(data));
    events = static_cast<double>(data.events.size());
    state.ResumeTiming();
  }
  state.counters["MB/s"] =
      benchmark::Counter(static_cast<double>(bytes) / 1e6, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["events"] = events;
  state.counters["result_MB"] = result / 1e6;
  state.counters["peak/result"] = peak / result;
}

Value params_of(const char* key, Value value) {
  Value out = Value::map();
  out.set(key, std::move(value));
  return out;
}

[[maybe_unused]] const int kRegistered = [] {
  const Format formats[] = {
      {"msd_taste_profile", "t.txt", params_of("path", Value::string("t.txt")), write_triplets},
      {"lastfm_360k", "lastfm-dataset-360K/usersha1-artmbid-artname-plays.tsv", Value::map(), write_360k},
      {"lastfm_1k", "lastfm-dataset-1K/userid-timestamp-artid-artname-traid-traname.tsv", Value::map(), write_1k},
      {"million_playlist", "", Value::map(), write_slices},
      {"thirtymusic", "ThirtyMusic/relations/sessions.idomaar", params_of("titles", Value::boolean(false)),
       write_sessions},
  };
  for (const Format& format : formats)
    benchmark::RegisterBenchmark(("load/" + format.dataset).c_str(), [format](benchmark::State& s) { load(s, format); })
        ->Unit(benchmark::kMillisecond)
        ->Iterations(target_bytes() > 500'000'000 ? 1 : 3);
  return 0;
}();

}  // namespace
}  // namespace segue::bench
