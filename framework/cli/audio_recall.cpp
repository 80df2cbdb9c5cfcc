// segue audio recall
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "framework/audio/degrade.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/percentile.hpp"
#include "framework/cli/audio_progress.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/recordings.hpp"
#include "framework/cli/sound_query.hpp"
#include "framework/index/recall.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options : RecordingOptions {
  std::string index, degrade = "none,gain:-12,noise:10,mp3:64,all";
  std::size_t queries = 200;
  double seconds = 10, shortest = 10;
  std::uint32_t search_width = 0;
  bool json = false;
};

constexpr int kClipRate = 44100;  // Hz, of clips while they are degraded
constexpr std::size_t kRecallAt = 10;
constexpr double kNearOffset = 0.1;  // s

// What happens to a clip: nothing, one thing, or all of them one after the other.
struct Treatment {
  std::string name;
  std::vector<audio::Degradation> steps;
};
std::vector<Treatment> parse_treatments(const std::string& list) {
  std::vector<Treatment> out;
  std::vector<audio::Degradation> all;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    begin = end + 1;
    if (name == "none") {
      out.push_back({name, {}});
    } else if (name == "all") {
      out.push_back({name, all});
    } else {
      out.push_back({name, audio::parse_degradations(name)});
      all.push_back(out.back().steps.front());
    }
  }
  return out;
}

// A clip, as a file that is read as any other; removed with it.
class ClipFile {
 public:
  ClipFile(std::span<const float> samples, std::size_t number)
      : path_(fs::temp_directory_path() / fmt::format("segue-clip-{}-{}.wav", ::getpid(), number)) {
    audio::write_wav(path_, samples, kClipRate);
  }
  ~ClipFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  ClipFile(const ClipFile&) = delete;
  ClipFile& operator=(const ClipFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Query {
  const NamedRecording* recording = nullptr;
  std::uint32_t track = 0;
  double from = 0;
};

// Recordings of the index that are long enough, drawn by the seed, at seconds that are drawn too; a recording is drawn
// again once all were.
std::vector<Query> draw_queries(const Options& o, const Recordings& named, const audio::SoundIndex& index) {
  std::map<std::string, std::uint32_t> tracks;
  for (std::uint32_t t = 0; t < index.tracks(); ++t) tracks.emplace(index.path(t), t);
  std::vector<Query> known;
  for (const NamedRecording& r : named.all) {
    const auto it = tracks.find(r.mark.path);
    if (it != tracks.end() && index.seconds(it->second) >= o.shortest) known.push_back({&r, it->second, 0});
  }
  if (known.empty())
    throw UsageError("none of the {} recordings named is in {} and {:g} s long or longer", named.all.size(), o.index,
                     o.shortest);
  const Rng rng(o.seed);
  rng.stream("recordings").shuffle(std::span(known));
  std::vector<Query> out;
  for (std::size_t q = 0; q < o.queries; ++q) {
    out.push_back(known[q % known.size()]);
    const double room = std::max(0.0, index.seconds(out.back().track) - o.seconds);
    out.back().from = room * rng.stream("from", q).uniform();
  }
  return out;
}

struct Tally {
  std::size_t queries = 0, first = 0, in_place = 0, not_found = 0, similar_first = 0;
  double recall = 0;
  std::vector<double> identify, similar, search;  // seconds: all of a question, and the search in vectors alone
};

// Share of the exact nearest that the index found too.
double recall_among(const audio::SoundIndex& index, const VectorIndex& exact, std::span<const float> placed) {
  std::vector<Neighbour> found(kRecallAt), wanted(kRecallAt);
  found.resize(index.vectors().search(placed, found));
  wanted.resize(exact.search(placed, wanted));
  return recall_of(found, wanted);
}

std::unique_ptr<VectorIndex> exact_copy(const VectorIndex& index, const Executor& exec) {
  Matrix<float> rows(static_cast<Eigen::Index>(index.rows()), static_cast<Eigen::Index>(index.dims()));
  for (std::size_t r = 0; r < index.rows(); ++r) index.vector(static_cast<std::uint32_t>(r), row_span(rows, r));
  return build_index(rows, {.kind = IndexKind::kExact, .distance = Distance::kL2}, exec);
}

// One clip under one treatment, asked for as `segue audio search` does.
void ask(const Query& query, const Treatment& treatment, std::size_t number, const Options& o,
         const audio::SoundIndex& index, const VectorIndex& exact, Tally& tally) {
  const int rate = audio::FeatureSettings().sample_rate;
  const auto source = query.recording->open(rate, true);
  std::vector<float> clip = audio::resampled(read_excerpt(*source, query.from, o.seconds), rate, kClipRate);
  const double from = std::round(query.from * rate) / rate;
  const Rng rng = Rng(o.seed).stream("noise", number);
  double cropped = 0;
  for (const audio::Degradation& step : treatment.steps) {
    const std::size_t before = clip.size();
    clip = degraded(clip, kClipRate, step, rng);
    if (step.kind == audio::DegradationKind::kCrop)
      cropped += static_cast<double>((before - clip.size()) / 2) / kClipRate;
  }
  const ClipFile file(clip, number);

  QueryTiming timing;
  const std::vector<float> heard = read_clip(file.path(), 0, o.seconds, timing);
  const audio::Identification found = identify_clip(index, heard, kRecallAt, timing);
  tally.identify.push_back(timing.total());
  ++tally.queries;
  const bool first = found.found && found.best.front().track == query.track;
  tally.first += first ? 1 : 0;
  tally.in_place += first && std::abs(found.best.front().offset - from - cropped) <= kNearOffset ? 1 : 0;
  // The same question to the index without this recording: it should not be found.
  const audio::ClipLandmarks landmarks = audio::find_clip_landmarks(heard);
  tally.not_found += index.landmarks().identify(landmarks, 1, query.track).found ? 0 : 1;

  const std::vector<float> again = read_clip(file.path(), 0, o.seconds, timing);
  const std::vector<audio::SimilarRecording> similar = find_similar(index, again, kRecallAt, timing);
  tally.similar.push_back(timing.total());
  tally.search.push_back(timing.search);
  tally.similar_first += !similar.empty() && similar.front().track == query.track ? 1 : 0;
  tally.recall += recall_among(index, exact, index.placed(audio::sound_vector(heard)));
}

ExitCode run(const Options& o, const Session& session) {
  const std::vector<Treatment> treatments = parse_treatments(o.degrade);
  audio::SoundIndex index = audio::SoundIndex::open(o.index);
  if (o.search_width > 0) {
    SearchEffort effort = index.vectors().settings().effort;
    effort.search_width = o.search_width;
    index.vectors().set_effort(effort);
  }
  const Recordings named = find_recordings(o, session);
  const std::vector<Query> queries = draw_queries(o, named, index);
  const std::unique_ptr<VectorIndex> exact = exact_copy(index.vectors(), Executor());
  std::vector<Tally> tallies(treatments.size());
  AudioProgress line(queries.size());
  double sound = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) {  // one at a time, since they are timed
    for (std::size_t t = 0; t < treatments.size(); ++t) ask(queries[q], treatments[t], q, o, index, *exact, tallies[t]);
    sound += o.seconds * static_cast<double>(treatments.size());
    line.show(q + 1, sound, queries[q].recording->name);
  }
  line.clear();

  const auto share = [](const Tally& t, double count) { return count / static_cast<double>(t.queries); };
  if (o.json) {
    Json results = Json::array();
    for (std::size_t i = 0; i < treatments.size(); ++i) {
      const Tally& t = tallies[i];
      const auto times = [](const std::vector<double>& x) {
        return Json{{"p50", 1000 * percentile(x, 50)}, {"p99", 1000 * percentile(x, 99)}};
      };
      results.push_back({{"clip", treatments[i].name},
                         {"queries", t.queries},
                         {"identify",
                          {{"first", share(t, static_cast<double>(t.first))},
                           {"in_place", share(t, static_cast<double>(t.in_place))},
                           {"not_found_without_it", share(t, static_cast<double>(t.not_found))},
                           {"ms", times(t.identify)}}},
                         {"similar",
                          {{"recall_at_10", share(t, t.recall)},
                           {"own_first", share(t, static_cast<double>(t.similar_first))},
                           {"ms", times(t.similar)},
                           {"search_ms", times(t.search)}}}});
    }
    fmt::print("{}\n", Json{{"recordings", index.tracks()},
                            {"distractors", index.distractors()},
                            {"landmarks", index.landmarks().postings()},
                            {"seconds", o.seconds},
                            {"seed", o.seed},
                            {"results", results}}
                           .dump(2));
    return ExitCode::kOk;
  }
  Table identify{.columns = {{"clip"},
                             {"queries", Align::kRight},
                             {"first", Align::kRight},
                             {"in place", Align::kRight},
                             {"not found without it", Align::kRight},
                             {"p50 ms", Align::kRight},
                             {"p99 ms", Align::kRight}}};
  Table similar{.columns = {{"clip"},
                            {"recall@10", Align::kRight},
                            {"own first", Align::kRight},
                            {"p50 ms", Align::kRight},
                            {"p99 ms", Align::kRight},
                            {"search p50 ms", Align::kRight},
                            {"search p99 ms", Align::kRight}}};
  for (std::size_t i = 0; i < treatments.size(); ++i) {
    const Tally& t = tallies[i];
    const auto percent = [&](std::size_t count) {
      const double s = share(t, static_cast<double>(count));
      return Cell(fmt::format("{:.1f} %", 100 * s), s);
    };
    const auto ms = [](const std::vector<double>& x, double p, int digits) {
      return Cell::fixed(1000 * percentile(x, p), digits);
    };
    identify.add({treatments[i].name, Cell(t.queries), percent(t.first), percent(t.in_place), percent(t.not_found),
                  ms(t.identify, 50, 1), ms(t.identify, 99, 1)});
    similar.add({treatments[i].name, Cell::fixed(share(t, t.recall), 4), percent(t.similar_first), ms(t.similar, 50, 1),
                 ms(t.similar, 99, 1), ms(t.search, 50, 2), ms(t.search, 99, 2)});
  }
  fmt::print("which recording is it? among {} with {} landmarks\n", index.tracks(), index.landmarks().postings());
  show(identify, TableFormat::kText);
  fmt::print("\nwhat sounds like it? among {} recordings and {} distractors, {}\n", index.tracks(), index.distractors(),
             to_text(index.vectors().settings().kind));
  show(similar, TableFormat::kText);
  fmt::print(
      "\nfirst: found, and before all others; in place: within {:g} s; not found without it: asked of the same index "
      "with its own recording left out; recall@10: against exact search; ms: decode, features and search of one clip, "
      "one thread\n",
      kNearOffset);
  return ExitCode::kOk;
}

}  // namespace

void add_audio_recall(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(
      parent, "recall", "asks how well and how fast an index finds its recordings from degraded clips of them",
      {{"segue audio recall ~/music --index music.index", "200 clips of ten seconds"},
       {"segue audio recall --data demo --limit 100 --index demo.index --queries 50", "of a data set's tracks"},
       {"segue audio recall ~/music --index i --degrade noise:0,mp3:32", "harder"}});
  add_recordings(cmd, *o);
  cmd.add_option("--index", o->index, "an index of `segue audio index` that has these recordings")
      ->required()
      ->type_name("DIR");
  cmd.add_option("--queries", o->queries, "clips of each kind, drawn by the seed")
      ->capture_default_str()
      ->check(between(1, 1e6))
      ->type_name("N");
  cmd.add_option("--degrade", o->degrade,
                 "what happens to clips: none, one of gain:<dB>, noise:<dB SNR>, mp3:<kbit/s> "
                 "and crop:<s>, and all that were named before one after the other; parted by commas")
      ->capture_default_str()
      ->type_name("LIST");
  cmd.add_option("--seconds", o->seconds, "how long clips are at most")
      ->capture_default_str()
      ->check(between(1, 3600))
      ->type_name("SECONDS");
  cmd.add_option("--shortest", o->shortest, "of the recordings that are asked for")
      ->capture_default_str()
      ->check(between(1, 86400))
      ->type_name("SECONDS");
  cmd.add_option("--search-width", o->search_width, "hnsw: candidates kept while walking; 0: as the index was built")
      ->capture_default_str()
      ->check(between(0, 1 << 20))
      ->type_name("N");
  cmd.add_option("--seed", o->seed, "of --limit, clips and noise")->capture_default_str()->type_name("N");
  cmd.add_flag("--json", o->json, "JSON");
  on_run(cmd, session, [o, &session] { return run(*o, session); });
}

}  // namespace segue
