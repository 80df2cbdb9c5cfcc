// segue audio classes
#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "framework/audio/class_retrieval.hpp"
#include "framework/audio/feature_file.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/audio_progress.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/dataset_figures.hpp"
#include "framework/data/item_sound.hpp"
#include "framework/experiment/dataset_store.hpp"

namespace segue {

namespace {

using audio::ClassRetrieval;
using audio::RetrievalRound;
using audio::RetrievalScore;
using Json = nlohmann::ordered_json;

struct Options {
  std::string name, folds, distance = "fingerprint";
  std::vector<std::string> settings;
  int k = 5, threads = 0;
  bool mutual_proximity = false, artist_filter = false, confusion = false, json = false;
};

std::shared_ptr<const ItemSound> hear(const Dataset& data, const DatasetLoader& loader, const Executor& exec) {
  std::optional<AudioProgress> line;
  return hear_items(data, loader, cache_folder(), exec, [&](const ListeningProgress& p) {
    if (!line) line.emplace(p.total);
    line->show(p.done, p.sound_seconds, data.name);
    return true;
  });
}

audio::TimbreModel timbre_of(const ItemSound& sound, std::size_t item) {
  const auto row = [&](const Array<float>& all) {
    const std::span<const float> rows = all.span();
    const std::size_t width = rows.size() / sound.heard.size();
    const auto own = rows.subspan(item * width, width);
    return std::vector<float>(own.begin(), own.end());
  };
  audio::TrackRecord record;
  record.timbre_mean = row(sound.timbre_means);
  record.timbre_covariance = row(sound.timbre_covariances);
  return audio::timbre_of(record);
}

// The rounds of the data set's folds, of items that have everything; what is in no fold is left out.
std::vector<RetrievalRound> given_rounds(const ItemClass& kind, const audio::Items& items) {
  const std::vector<std::string> names = kind.folds.to_vector();
  const auto number = [&](std::string_view name) {
    return static_cast<std::uint32_t>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  const auto in = [&](auto wanted) {
    audio::Items out;
    for (const std::uint32_t i : items)
      if (kind.fold_of[i] != ItemClass::kNone && wanted(kind.fold_of[i])) out.push_back(i);
    return out;
  };
  const std::uint32_t training = number(ItemClass::kTraining), test = number(ItemClass::kTest);
  if (training < names.size() && test < names.size())
    return {{std::string(ItemClass::kTest), in([&](auto f) { return f == training; }),
             in([&](auto f) { return f == test; })}};
  std::vector<RetrievalRound> out;
  for (std::uint32_t fold = 0; fold < names.size(); ++fold)
    out.push_back({names[fold], in([&](auto f) { return f != fold; }), in([&](auto f) { return f == fold; })});
  return out;
}

struct Evaluation {
  std::string protocol, distance;
  std::vector<RetrievalRound> rounds;
  ClassRetrieval result;
};

std::string protocol_of(const std::vector<RetrievalRound>& rounds, bool given) {
  if (!given) return "leave one out: each recording is asked of all others";
  if (rounds.size() == 1)
    return fmt::format("the split that is given: {} recordings asked of {} in training",
                       thousands(rounds[0].asked.size()), thousands(rounds[0].known.size()));
  return fmt::format("the {} folds that are given: each is asked of the others", rounds.size());
}

Evaluation evaluate(const Options& o, const Dataset& data, const DatasetLoader& loader) {
  const auto* kind = data.facets.find<ItemClass>();
  if (kind == nullptr || kind->classes.size() == 0)
    throw UsageError("data set '{}' has no classes (item_class), which are what is asked for", data.name);
  if (!data.facets.has(ItemAudio::kName)) throw UsageError("data set '{}' does not say how its items sound", data.name);
  const bool given = o.folds.empty() ? kind->folds.size() > 0 : o.folds == "given";
  if (given && kind->folds.size() == 0)
    throw UsageError("data set '{}' has no folds; use --folds leave-one-out", data.name);
  const auto* artist = data.facets.find<ItemArtist>();
  if (o.artist_filter && artist == nullptr)
    throw UsageError("data set '{}' has no artists (item_artist), which --artist-filter needs", data.name);

  const Executor exec(o.threads);
  const auto sound = hear(data, loader, exec);
  const std::size_t n = data.items.size();
  audio::Items items;  // that have a class and were heard
  for (std::uint32_t i = 0; i < n; ++i)
    if (sound->heard[i] != 0 && kind->class_of[i] != ItemClass::kNone) items.push_back(i);
  if (items.size() < n) log_info("{} of {} items have a class and can be heard", items.size(), n);

  Evaluation out;
  out.rounds = given ? given_rounds(*kind, items) : std::vector<RetrievalRound>{{"all", items, items}};
  out.protocol = protocol_of(out.rounds, given);
  audio::RetrievalLabels labels{kind->classes.size(), {kind->class_of.begin(), kind->class_of.end()}, {}};
  if (o.artist_filter) labels.artist_of.assign(artist->artist_of.begin(), artist->artist_of.end());
  const audio::RetrievalSettings settings{static_cast<std::size_t>(o.k), o.mutual_proximity};
  if (o.distance == "timbre") {
    std::vector<audio::TimbreModel> models(n);
    for (const std::uint32_t i : items) models[i] = timbre_of(*sound, i);
    out.distance = "symmetric KL divergence of Gaussians of MFCC, its logarithm";
    out.result = retrieve_classes(out.rounds, audio::learn_timbre_distance(models, exec), labels, settings);
  } else {
    const bool statistics = o.distance == "statistics";
    const Array<float>& numbers = statistics ? sound->statistics : sound->fingerprints;
    const Matrix<float> rows = Eigen::Map<const Matrix<float>>(numbers.data(), static_cast<Eigen::Index>(n),
                                                               static_cast<Eigen::Index>(numbers.size() / n));
    out.distance = fmt::format("Euclidean, of {} of {} numbers, standardised by the known recordings",
                               statistics ? "statistics" : "fingerprints", rows.cols());
    out.result = retrieve_classes(out.rounds, audio::learn_fingerprint_distance(rows, exec), labels, settings);
  }
  if (o.mutual_proximity) out.distance += ", by mutual proximity";
  if (o.artist_filter) out.protocol += "; none by the same artist";
  return out;
}

Json json_of(const RetrievalScore& score) {
  return {{"asked", score.asked},
          {"precision", score.precision},
          {"accuracy", score.accuracy},
          {"nearest_accuracy", score.nearest},
          {"precision_by_chance", score.chance}};
}

Json json_of(const Options& o, const Dataset& data, const ItemClass& kind, const Evaluation& e) {
  Json classes = Json::array(), folds = Json::array(), votes = Json::array();
  for (std::size_t c = 0; c < kind.classes.size(); ++c) {
    Json one{{"class", kind.classes[c]}};
    one.update(json_of(e.result.by_class[c]));
    classes.push_back(std::move(one));
    Json row = Json::array();
    for (Eigen::Index v = 0; v < e.result.votes.cols(); ++v)
      row.push_back(static_cast<std::int64_t>(e.result.votes(static_cast<Eigen::Index>(c), v)));
    votes.push_back(std::move(row));
  }
  for (std::size_t r = 0; r < e.rounds.size(); ++r) {
    Json one{{"fold", e.rounds[r].name}, {"known", e.rounds[r].known.size()}};
    one.update(json_of(e.result.by_round[r]));
    folds.push_back(std::move(one));
  }
  Json out{{"dataset", dataset_text(o.name, o.settings)},
           {"fingerprint", data.fingerprint()},
           {"protocol", e.protocol},
           {"distance", e.distance},
           {"k", o.k},
           {"unanswered", e.result.unanswered}};
  out.update(json_of(e.result.all));
  out["folds"] = std::move(folds);
  out["classes"] = std::move(classes);
  out["votes"] = std::move(votes);
  return out;
}

// The class that a class was most often taken for, its own apart; empty where none was.
std::string mistaken_for(const ItemClass& kind, const ClassRetrieval& result, std::size_t c) {
  Eigen::Index most = -1;
  const auto row = static_cast<Eigen::Index>(c);
  for (Eigen::Index v = 0; v < result.votes.cols(); ++v)
    if (v != row && result.votes(row, v) > (most < 0 ? 0 : result.votes(row, most))) most = v;
  if (most < 0) return "";
  return fmt::format("{} ({:.0f})", kind.classes[static_cast<std::size_t>(most)], result.votes(row, most));
}

NamedTables tables_of(const Options& o, const Dataset& data, const ItemClass& kind, const Evaluation& e) {
  const RetrievalScore& all = e.result.all;
  Table facts = record_table();
  facts.add({"data set", data.title});
  facts.add({"protocol", e.protocol});
  facts.add({"distance", e.distance});
  facts.add({"asked", Cell(thousands(all.asked), all.asked)});
  if (e.result.unanswered > 0) facts.add({"without any known", e.result.unanswered});
  facts.add({fmt::format("precision at {}", o.k),
             Cell(fmt::format("{:.4f}  (by chance {:.4f})", all.precision, all.chance), all.precision)});
  facts.add({"nearest of the class", Cell::fixed(all.nearest, 4)});
  facts.add({fmt::format("accuracy, {} voting", o.k), Cell::fixed(all.accuracy, 4)});

  const Align right = Align::kRight;
  Table classes{.columns = {{"class"},
                            {"asked", right},
                            {fmt::format("prec@{}", o.k), right},
                            {"nearest", right},
                            {"accuracy", right},
                            {"most often taken for"}}};
  for (std::size_t c = 0; c < kind.classes.size(); ++c) {
    const RetrievalScore& s = e.result.by_class[c];
    if (s.asked == 0) continue;
    classes.add({kind.classes[c], s.asked, Cell::fixed(s.precision, 3), Cell::fixed(s.nearest, 3),
                 Cell::fixed(s.accuracy, 3), mistaken_for(kind, e.result, c)});
  }
  NamedTables out{{"", std::move(facts)}, {"", std::move(classes)}};
  if (o.confusion) {
    Table votes{.columns = {{"class, taken for"}}};
    for (std::size_t c = 0; c < kind.classes.size(); ++c)
      votes.columns.push_back({std::string(kind.classes[c]), right});
    for (std::size_t c = 0; c < kind.classes.size(); ++c) {
      std::vector<Cell> row{kind.classes[c]};
      for (Eigen::Index v = 0; v < e.result.votes.cols(); ++v)
        row.emplace_back(static_cast<std::int64_t>(e.result.votes(static_cast<Eigen::Index>(c), v)));
      votes.add(std::move(row));
    }
    out.emplace_back("", std::move(votes));
  }
  return out;
}

ExitCode run(const Options& o, const Session& session) {
  const std::unique_ptr<DatasetLoader> loader = find_dataset(session, o.name).make();
  const Dataset data = loader->load(parse_settings(o.settings), session.roots);
  const Evaluation e = evaluate(o, data, *loader);
  const auto& kind = data.facets.require<ItemClass>();
  if (o.json)
    fmt::print("{}\n", json_of(o, data, kind, e).dump(2));
  else
    show(tables_of(o, data, kind, e), TableFormat::kText);
  return ExitCode::kOk;
}

}  // namespace

void add_audio_classes(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(parent, "classes", "measures whether recordings that sound alike are of a class, such as a genre",
                  {{"segue audio classes esc", "by fingerprints, over the data set's folds"},
                   {"segue audio classes esc --distance timbre --mutual-proximity", "by Gaussians of timbre"},
                   {"segue audio classes gtzan split=filtered --k 10", "with a setting of the loader"},
                   {"segue audio classes audio_folder path=music parent=class --folds leave-one-out",
                    "a folder of genre folders"}});
  add_dataset(cmd, o->name, o->settings);
  cmd.add_option("--k", o->k, "how many neighbours")->capture_default_str()->check(between(1, 10000));
  cmd.add_option("--folds", o->folds,
                 "who is asked of whom: given, each fold of the others, or test of training; default: given where "
                 "there are any")
      ->check(CLI::IsMember({"given", "leave-one-out"}))
      ->type_name("given|leave-one-out");
  cmd.add_option("--distance", o->distance, "what is compared")
      ->capture_default_str()
      ->check(CLI::IsMember({"fingerprint", "statistics", "timbre"}))
      ->type_name("fingerprint|statistics|timbre");
  cmd.add_flag("--mutual-proximity", o->mutual_proximity,
               "distances by how close both sides find them, which takes hubs away");
  cmd.add_flag("--artist-filter", o->artist_filter, "neighbours by the same artist do not count");
  cmd.add_flag("--confusion", o->confusion, "also how often each class was taken for each");
  cmd.add_flag("--json", o->json, "everything, for programs");
  cmd.add_option("--threads", o->threads, "recordings at a time; 0: as many as there are cores")
      ->capture_default_str()
      ->check(between(0, 1024));
  on_run(cmd, session, [o, &session] { return run(*o, session); });
}

}  // namespace segue
