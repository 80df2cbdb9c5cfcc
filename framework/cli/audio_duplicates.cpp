// segue audio duplicates
#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "framework/audio/near_duplicates.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/audio_progress.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/recordings.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options : RecordingOptions {
  std::string degrade = "gain:-12,noise:20,mp3:64";
  std::size_t queries = 0;
  double from = 0, seconds = 30;
  int sample_rate = 44100, threads = 0;
  bool json = false;
};
using Recording = NamedRecording;

// Which recordings are asked for: all, or as many of each place, drawn by the seed.
std::vector<bool> draw_queries(const Options& o, const std::vector<Recording>& recordings, std::size_t places) {
  std::vector<bool> out(recordings.size(), o.queries == 0);
  for (std::size_t p = 0; o.queries > 0 && p < places; ++p) {
    std::vector<std::size_t> of;
    for (std::size_t r = 0; r < recordings.size(); ++r)
      if (recordings[r].place == p) of.push_back(r);
    Rng(o.seed).stream("queries", p).shuffle(std::span(of));
    for (std::size_t i = 0; i < std::min(o.queries, of.size()); ++i) out[of[i]] = true;
  }
  return out;
}

struct Heard {
  double length = 0;  // s
  std::vector<float> own;
  std::vector<std::vector<float>> degraded;  // one a degradation, where it is asked for
  std::vector<double> seconds;               // what hearing these took, the degrading left out
  std::string failure;
};

Heard hear(const Recording& recording, bool asked, const std::vector<audio::Degradation>& how, const Options& o,
           const Rng& rng) {
  const audio::FeatureSettings settings;
  Heard out;
  try {
    const std::unique_ptr<audio::SampleSource> source = recording.open(o.sample_rate, false);
    const std::vector<float> excerpt = read_excerpt(*source, o.from, o.seconds);
    if (excerpt.empty()) throw DataError("{}: ends before second {}", recording.name, o.from);
    out.length = static_cast<double>(excerpt.size()) / o.sample_rate;
    out.own = excerpt_fingerprint(excerpt, o.sample_rate, settings);
    for (std::size_t d = 0; asked && d < how.size(); ++d) {
      std::vector<float> changed = degraded(excerpt, o.sample_rate, how[d], rng.stream("degradation", d));
      const Stopwatch watch;
      out.degraded.push_back(excerpt_fingerprint(std::move(changed), o.sample_rate, settings));
      out.seconds.push_back(watch.seconds());
    }
  } catch (const DataError& error) {
    out.failure = error.what();
  }
  return out;
}

// Of the queries of one place under one degradation.
struct Result {
  std::size_t place = 0, degradation = 0, queries = 0, first = 0;
  double ranks = 0, seconds = 0;
};

struct Miss {
  std::size_t degradation, query, rank, found;
};

struct Outcome {
  std::vector<Result> results;  // places, then all of them where there are several; degradations within
  std::vector<Miss> misses;
  std::vector<std::vector<double>> moved;  // fields, a degradation
  std::size_t catalogue = 0;
};

Outcome search(const std::vector<Recording>& recordings, const std::vector<Heard>& heard, std::size_t places,
               std::size_t degradations) {
  std::vector<std::size_t> rows;  // of the catalogue: recordings that could be heard
  for (std::size_t r = 0; r < heard.size(); ++r)
    if (heard[r].failure.empty()) rows.push_back(r);
  if (rows.empty()) throw DataError("none of {} recordings can be heard", recordings.size());
  Matrix<float> catalogue(static_cast<Eigen::Index>(rows.size()),
                          static_cast<Eigen::Index>(audio::fingerprint_fields().size()));
  for (std::size_t i = 0; i < rows.size(); ++i) std::ranges::copy(heard[rows[i]].own, row_span(catalogue, i).begin());
  Outcome out;
  out.catalogue = rows.size();
  const std::size_t groups = places > 1 ? places + 1 : 1;
  for (std::size_t p = 0; p < groups; ++p)
    for (std::size_t d = 0; d < degradations; ++d) out.results.push_back({p, d});
  for (std::size_t d = 0; d < degradations; ++d) {
    std::vector<audio::DuplicateQuery> queries;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!heard[rows[i]].degraded.empty()) queries.push_back({i, heard[rows[i]].degraded[d]});
    const Stopwatch watch;
    const std::vector<audio::DuplicateRank> found = rank_duplicates(catalogue, queries);
    const double searching = watch.seconds() / static_cast<double>(queries.size());
    out.moved.push_back(moved_fields(catalogue, queries));
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const std::size_t r = rows[queries[q].own];
      for (std::size_t p = 0; p < groups; ++p) {
        if (p != recordings[r].place && p != places && groups > 1) continue;
        Result& result = out.results[p * degradations + d];
        ++result.queries;
        result.first += found[q].rank == 1 ? 1 : 0;
        result.ranks += static_cast<double>(found[q].rank);
        result.seconds += heard[r].seconds[d] + searching;
      }
      if (found[q].rank > 1) out.misses.push_back({d, r, found[q].rank, rows[found[q].nearest]});
    }
  }
  return out;
}

Json json_of(const Outcome& outcome, const Options& o, const std::vector<std::string>& places,
             const std::vector<Recording>& recordings, const std::vector<Heard>& heard,
             const std::vector<audio::Degradation>& how) {
  Json results = Json::array(), misses = Json::array(), failures = Json::array(), moved = Json::object();
  for (const Result& r : outcome.results) {
    const auto n = static_cast<double>(r.queries);
    results.push_back({{"recordings", r.place < places.size() ? places[r.place] : "all"},
                       {"degradation", how[r.degradation].text()},
                       {"queries", r.queries},
                       {"first", r.queries == 0 ? Json() : Json(static_cast<double>(r.first) / n)},
                       {"mean_rank", r.queries == 0 ? Json() : Json(r.ranks / n)},
                       {"ms", r.queries == 0 ? Json() : Json(1000 * r.seconds / n)}});
  }
  for (const Miss& m : outcome.misses)
    misses.push_back({{"degradation", how[m.degradation].text()},
                      {"recording", recordings[m.query].name},
                      {"rank", m.rank},
                      {"found", recordings[m.found].name}});
  for (std::size_t r = 0; r < heard.size(); ++r)
    if (!heard[r].failure.empty()) failures.push_back({{"recording", recordings[r].name}, {"why", heard[r].failure}});
  const auto& fields = audio::fingerprint_fields();
  for (std::size_t d = 0; d < how.size(); ++d) {
    Json of = Json::object();
    for (std::size_t c = 0; c < fields.size(); ++c) of[fields[c].name] = outcome.moved[d][c];
    moved[how[d].text()] = of;
  }
  return {{"catalogue", outcome.catalogue},
          {"from_s", o.from},
          {"seconds", o.seconds},
          {"sample_rate", o.sample_rate},
          {"seed", o.seed},
          {"definition", fingerprint_definition(audio::FeatureSettings())},
          {"results", results},
          {"misses", misses},
          {"moved_deviations", moved},
          {"not_readable", failures}};
}

ExitCode run(const Options& o, const Session& session) {
  const std::vector<audio::Degradation> how = audio::parse_degradations(o.degrade);
  const Recordings named = find_recordings(o, session);
  const std::vector<Recording>& recordings = named.all;
  const std::vector<std::string>& places = named.places;
  const std::vector<bool> asked = draw_queries(o, recordings, places.size());
  std::vector<Heard> heard(recordings.size());
  std::mutex mutex;
  std::size_t done = 0;
  double sound = 0;
  AudioProgress line(recordings.size());
  Executor(o.threads).for_blocks(recordings.size(), 1, [&](std::size_t r, std::size_t) {
    heard[r] = hear(recordings[r], asked[r], how, o, Rng(o.seed).stream("noise", r));
    const std::lock_guard lock(mutex);
    ++done;
    sound += heard[r].length;
    line.show(done, sound, recordings[r].name);
  });
  line.clear();
  std::size_t failures = 0;
  for (const Heard& h : heard) {
    if (h.failure.empty()) continue;
    log_warning("{}", h.failure);
    ++failures;
  }
  const Outcome outcome = search(recordings, heard, places.size(), how.size());
  if (o.json) {
    fmt::print("{}\n", json_of(outcome, o, places, recordings, heard, how).dump(2));
  } else {
    Table table{.columns = {{"recordings", Align::kLeft, Wrap::kYes},
                            {"degradation"},
                            {"queries", Align::kRight},
                            {"first", Align::kRight},
                            {"mean rank", Align::kRight},
                            {"ms", Align::kRight}}};
    for (const Result& r : outcome.results) {
      const auto n = static_cast<double>(r.queries);
      table.add(
          {r.place < places.size() ? places[r.place] : "all", how[r.degradation].text(), Cell(r.queries),
           Cell(fmt::format("{:.1f} %", 100 * static_cast<double>(r.first) / n), static_cast<double>(r.first) / n),
           Cell::fixed(r.ranks / n, 2), Cell::fixed(1000 * r.seconds / n, 1)});
    }
    show(table, TableFormat::kText);
    fmt::print("\nfirst: queries that found their own recording before all others of {}; ms: to hear and find one\n",
               outcome.catalogue);
  }
  return failures == 0 ? ExitCode::kOk : ExitCode::kSomeTrialsFailed;
}

}  // namespace

void add_audio_duplicates(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(
      parent, "duplicates", "asks whether recordings find themselves after they were made quieter, noisy or MP3",
      {{"segue audio duplicates ~/music", "every recording's first 30 s, among all of them"},
       {"segue audio duplicates ~/music --data demo --limit 500", "with tracks of a data set in the same catalogue"},
       {"segue audio duplicates ~/music --degrade noise:10,mp3:32,crop:10", "harder"},
       {"segue audio duplicates ~/music --queries 50 --json", "a sample; which were missed, and what moves"}});
  std::string degradations;
  for (const audio::DegradationCard& c : audio::degradation_cards())
    degradations += fmt::format("; {}:<{}> {}", c.name, c.unit, c.meaning);
  add_recordings(cmd, *o);
  cmd.add_option("--queries", o->queries, "recordings of each place that are asked for, drawn by the seed; 0: all")
      ->capture_default_str()
      ->type_name("N");
  cmd.add_option("--degrade", o->degrade, "what happens to them, parted by commas" + degradations)
      ->capture_default_str()
      ->type_name("LIST");
  cmd.add_option("--from", o->from, "the second where excerpts begin")
      ->capture_default_str()
      ->check(between(0, 86400))
      ->type_name("SECONDS");
  cmd.add_option("--seconds", o->seconds, "how long excerpts are at most")
      ->capture_default_str()
      ->check(between(0.1, 3600))
      ->type_name("SECONDS");
  cmd.add_option("--sample-rate", o->sample_rate, "of excerpts while they are degraded")
      ->capture_default_str()
      ->check(between(8000, 192000))
      ->type_name("HZ");
  cmd.add_option("--seed", o->seed, "of noise and samples")->capture_default_str()->type_name("N");
  cmd.add_option("--threads", o->threads, "recordings at a time; 0: as many as there are cores")
      ->capture_default_str()
      ->check(between(0, 1024));
  cmd.add_flag("--json", o->json, "JSON, with every miss and how far each field of a fingerprint moves");
  on_run(cmd, session, [o, &session] { return run(*o, session); });
}

}  // namespace segue
