#include "framework/audio/landmark_index.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/mapped_file.hpp"

namespace segue::audio {

namespace {

namespace fs = std::filesystem;

constexpr char kMagic[16] = "segue-landmarks";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kAlign = 64;

struct Head {
  char magic[16];
  std::uint32_t version, definition;  // bytes of the definition
  std::uint64_t tracks, hashes, postings;
  std::uint64_t body;  // checksum of everything after the head
  std::uint64_t spare[8];
  std::uint64_t head;  // checksum of what stands before it
};
static_assert(sizeof(Head) == 128);

constexpr std::size_t padded(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

std::uint64_t head_checksum(const Head& head) {
  return hash64({reinterpret_cast<const char*>(&head), offsetof(Head, head)});
}

struct Entry {
  std::uint32_t hash, track, frame;
  auto operator<=>(const Entry&) const = default;
};

// Where the first element that is not below `key` stands, from `from` on, in steps that double: keys come ascending.
std::size_t gallop(std::span<const std::uint32_t> sorted, std::size_t from, std::uint32_t key) {
  std::size_t step = 1, low = from;
  while (low + step < sorted.size() && sorted[low + step] < key) low += step, step *= 2;
  const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(low);
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(sorted.size(), low + step + 1));
  return static_cast<std::size_t>(std::lower_bound(begin, end, key) - sorted.begin());
}

}  // namespace

LandmarkIndex LandmarkIndex::build(std::span<const std::vector<Landmark>> tracks, const LandmarkSettings& settings,
                                   const Executor& exec) {
  // Dealt to a bucket for each first bin in the order of tracks, then each bucket is sorted by itself.
  constexpr std::size_t kBuckets = 1024;
  std::vector<std::size_t> begin(kBuckets + 1, 0);
  std::vector<std::uint32_t> frames;
  for (const std::vector<Landmark>& track : tracks) {
    std::uint32_t end = 0;
    for (const Landmark& l : track) {
      SEGUE_CHECK(l.hash >> 26 == 0, "a landmark hash of {}", l.hash);
      ++begin[(l.hash >> 16) + 1];
      end = std::max(end, l.frame + 1);
    }
    frames.push_back(end);
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<Entry> entries(begin.back());
  std::vector<std::size_t> at(begin.begin(), begin.end() - 1);
  for (std::size_t t = 0; t < tracks.size(); ++t)
    for (const Landmark& l : tracks[t]) entries[at[l.hash >> 16]++] = {l.hash, static_cast<std::uint32_t>(t), l.frame};
  exec.for_blocks(kBuckets, 1, [&](std::size_t b, std::size_t) {
    std::sort(entries.begin() + static_cast<std::ptrdiff_t>(begin[b]),
              entries.begin() + static_cast<std::ptrdiff_t>(begin[b + 1]));
  });
  std::vector<std::uint32_t> hashes;
  std::vector<std::uint64_t> begins;
  std::vector<Posting> postings;
  postings.reserve(entries.size());
  for (const Entry& e : entries) {
    if (hashes.empty() || hashes.back() != e.hash) {
      hashes.push_back(e.hash);
      begins.push_back(postings.size());
    }
    postings.push_back({e.track, e.frame});
  }
  begins.push_back(postings.size());
  LandmarkIndex out;
  out.definition_ = settings.canonical();
  out.frame_seconds_ = settings.frame_seconds();
  out.frames_ = std::move(frames);
  out.hashes_ = std::move(hashes);
  out.begins_ = std::move(begins);
  out.postings_ = std::move(postings);
  return out;
}

std::uint64_t LandmarkIndex::body_checksum() const {
  Hasher hasher;
  hasher.add(definition_).add(frames_.span()).add(hashes_.span()).add(begins_.span());
  hasher.bytes(postings_.data(), postings_.size() * sizeof(Posting));
  return hasher.low64();
}

void LandmarkIndex::save(const fs::path& path) const {
  const std::string temporary = path.string() + ".part";
  std::ofstream out(temporary, std::ios::binary);
  const auto put = [&](const void* data, std::size_t bytes) {
    static const char zeros[kAlign] = {};
    out.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    out.write(zeros, static_cast<std::streamsize>(padded(bytes) - bytes));
  };
  Head head{};
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  head.version = kVersion;
  head.definition = static_cast<std::uint32_t>(definition_.size());
  head.tracks = frames_.size();
  head.hashes = hashes_.size();
  head.postings = postings_.size();
  head.body = body_checksum();
  head.head = head_checksum(head);
  put(&head, sizeof head);
  put(definition_.data(), definition_.size());
  put(frames_.data(), frames_.size() * sizeof(std::uint32_t));
  put(hashes_.data(), hashes_.size() * sizeof(std::uint32_t));
  put(begins_.data(), begins_.size() * sizeof(std::uint64_t));
  put(postings_.data(), postings_.size() * sizeof(Posting));
  out.close();
  std::error_code error;
  if (out) fs::rename(temporary, path, error);
  if (!out || error)
    throw EnvironmentError("cannot write {}: is there such a folder, and is the disk full?", path.string());
}

LandmarkIndex LandmarkIndex::open(const fs::path& path, const LandmarkSettings& settings) {
  const MappedFile file(path);
  const std::size_t size = file.bytes().size();
  Head head{};
  if (size >= sizeof head) std::memcpy(&head, file.bytes().data(), sizeof head);
  if (std::memcmp(head.magic, kMagic, sizeof kMagic) != 0)
    throw DataError("{}: not landmarks as `segue audio index` writes them", path.string());
  if (head.version != kVersion)
    throw DataError("{}: version {} of the file's layout, and this program reads {}; build the index anew",
                    path.string(), head.version, kVersion);
  if (head.head != head_checksum(head)) throw DataError("{}: damaged; build the index anew", path.string());
  std::size_t at = sizeof head;
  const auto section = [&](std::size_t bytes) {
    const std::size_t from = at;
    at += padded(bytes);
    return from;
  };
  const std::size_t definition = section(head.definition), frames = section(head.tracks * sizeof(std::uint32_t)),
                    hashes = section(head.hashes * sizeof(std::uint32_t)),
                    begins = section((head.hashes + 1) * sizeof(std::uint64_t)),
                    postings = section(head.postings * sizeof(Posting));
  if (at != size)
    throw DataError("{}: {} bytes where there should be {}; build the index anew", path.string(), size, at);
  LandmarkIndex out;
  const Array<char> text = file.array<char>(definition, head.definition);
  out.definition_.assign(text.begin(), text.end());
  if (out.definition_ != settings.canonical())
    throw DataError("{}: its landmarks were found with other settings ({}; now {}); build the index anew",
                    path.string(), out.definition_, settings.canonical());
  out.frame_seconds_ = settings.frame_seconds();
  out.frames_ = file.array<std::uint32_t>(frames, head.tracks);
  out.hashes_ = file.array<std::uint32_t>(hashes, head.hashes);
  out.begins_ = file.array<std::uint64_t>(begins, head.hashes + 1);
  out.postings_ = file.array<Posting>(postings, head.postings);
  out.path_ = path;
  out.stored_checksum_ = head.body;
  return out;
}

void LandmarkIndex::verify() const {
  if (!path_.empty() && body_checksum() != stored_checksum_) damaged();
}

void LandmarkIndex::damaged() const {
  throw DataError("{}: its checksum is wrong; build the index anew", path_.string());
}

std::span<const LandmarkIndex::Posting> LandmarkIndex::postings_of(std::uint32_t hash, std::size_t& from) const {
  from = gallop(hashes_, from, hash);
  if (from == hashes_.size() || hashes_[from] != hash) return {};
  if (begins_[from] > begins_[from + 1] || begins_[from + 1] > postings_.size()) damaged();
  return postings_.slice(begins_[from], begins_[from + 1]);
}

Identification LandmarkIndex::identify(const ClipLandmarks& clip, std::size_t count, std::uint32_t except) const {
  const auto shifts = static_cast<std::uint32_t>(clip.shifts);
  std::uint32_t latest = 0;
  for (const Landmark& l : clip.landmarks) latest = std::max(latest, l.frame);

  // Equal hashes of clip and index, and how many pairs they make.
  struct Common {
    std::span<const Landmark> asked;
    std::span<const Posting> known;
    std::size_t pairs() const { return asked.size() * known.size(); }
  };
  std::vector<Common> common;
  std::size_t from = 0;
  const std::span<const Landmark> asked = clip.landmarks;
  for (std::size_t begin = 0, end = 0; begin < asked.size(); begin = end) {
    while (end < asked.size() && asked[end].hash == asked[begin].hash) ++end;
    const std::span<const Posting> known = postings_of(asked[begin].hash, from);
    if (!known.empty()) common.push_back({asked.subspan(begin, end - begin), known});
  }

  // Where the clip would begin, for each pair: track, then offset + latest in hops / shifts.
  std::vector<const Common*> rarest;
  for (const Common& c : common) rarest.push_back(&c);
  std::ranges::stable_sort(rarest, {}, &Common::pairs);
  std::vector<std::uint64_t> starts;
  for (const Common* c : rarest) {
    if (starts.size() + c->pairs() > kMostPairs) break;
    for (const Landmark& l : c->asked)
      for (const Posting& p : c->known)
        starts.push_back(std::uint64_t{p.track} << 32 | (p.frame * shifts + latest - l.frame));
  }
  std::ranges::sort(starts);

  // The fullest window of each track; of equally full ones the first.
  struct Window {
    std::uint32_t track = 0, begin = 0, hits = 0;
  };
  const auto width = static_cast<std::uint64_t>(std::lround(2 * kSlack * clip.shifts));
  std::vector<Window> windows;
  for (std::size_t begin = 0, end = 0; begin < starts.size(); ++begin) {
    const auto track = static_cast<std::uint32_t>(starts[begin] >> 32);
    while (end < starts.size() && starts[end] >> 32 == track && starts[end] - starts[begin] <= width) ++end;
    const auto hits = static_cast<std::uint32_t>(end - begin);
    if (track >= tracks()) damaged();
    if (track == except) continue;
    if (windows.empty() || windows.back().track != track) windows.push_back({track, 0, 0});
    if (hits > windows.back().hits) windows.back() = {track, static_cast<std::uint32_t>(starts[begin]), hits};
  }
  const std::size_t looked_at = std::min(windows.size(), 2 * count + 8);
  std::ranges::partial_sort(windows, windows.begin() + static_cast<std::ptrdiff_t>(looked_at), {},
                            [](const Window& w) { return std::pair(~w.hits, w.track); });

  Identification out;
  for (const Window& w : std::span(windows).first(looked_at)) {
    std::uint32_t votes = 0;
    double sum = 0, pairs = 0;
    for (const Common& c : common) {
      const auto of = std::ranges::equal_range(c.known, w.track, {}, &Posting::track);
      for (const Posting& p : of) {
        bool agrees = false;
        for (const Landmark& l : c.asked) {
          const std::uint32_t start = p.frame * shifts + latest - l.frame;
          if (start < w.begin || start - w.begin > width) continue;
          agrees = true;
          sum += start;
          ++pairs;
        }
        votes += agrees ? 1 : 0;
      }
    }
    if (pairs == 0) damaged();
    const double start = (sum / pairs - latest) / clip.shifts;
    out.best.push_back({w.track, start * frame_seconds_, votes, votes / static_cast<double>(std::max<std::size_t>(clip.plain, 1))});
  }
  std::ranges::sort(out.best, {}, [](const LandmarkMatch& m) { return std::pair(~m.votes, m.track); });
  if (!out.best.empty()) {
    const LandmarkMatch& first = out.best.front();
    const double second = out.best.size() > 1 ? out.best[1].votes : 0;
    out.found = first.votes >= kLeastVotes && (first.share >= kLeastShare || first.votes >= kClear * (1 + second));
  }
  out.best.resize(std::min(out.best.size(), count));
  return out;
}

}  // namespace segue::audio
