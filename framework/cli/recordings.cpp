#include "framework/cli/recordings.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

void add_file(const fs::path& path, audio::FileMark mark, Recordings& out) {
  mark.path = fs::absolute(path).lexically_normal().string();
  out.all.push_back({out.places.size() - 1, path.string(), std::move(mark), [path](int rate, bool may_be_short) {
                       auto source = std::make_unique<audio::SoundFile>(path, rate);
                       source->may_be_short(may_be_short);
                       return source;
                     }});
}

void add_paths(const RecordingOptions& o, Recordings& out) {
  for (const std::string& path : o.paths) {
    out.places.push_back(path);
    if (!fs::is_directory(path)) {
      add_file(path, audio::mark_of(path), out);
      continue;
    }
    const std::vector<audio::FileMark> files = audio::find_recordings(path);
    if (files.empty()) throw DataError("{}: no recordings", path);
    for (const audio::FileMark& file : files) add_file(fs::path(path) / file.path, file, out);
  }
}

void add_items(const RecordingOptions& o, const Session& session, Recordings& out) {
  out.loader = find_dataset(session, o.data).make();
  const Dataset data = out.loader->load(parse_settings(o.settings), session.roots);
  const auto* sounds = data.facets.find<ItemAudio>();
  if (sounds == nullptr) throw UsageError("data set '{}' does not say how its items sound", data.name);
  std::vector<std::size_t> items;
  for (std::size_t i = 0; i < data.items.size(); ++i)
    if (!sounds->sources[i].empty()) items.push_back(i);
  if (o.limit > 0 && o.limit < items.size()) {
    Rng(o.seed).stream("items").shuffle(std::span(items));
    items.resize(o.limit);
    std::ranges::sort(items);
  }
  out.places.push_back(dataset_text(o.data, o.settings));
  for (const std::size_t i : items) {
    const std::string source(sounds->sources[i]), id(data.items[i]);
    out.all.push_back({out.places.size() - 1,
                       id,
                       {o.data + "/" + id, hash64(out.loader->sound_identity(source)), 0},
                       [loader = out.loader.get(), source](int rate, bool) { return loader->sound(source, rate); }});
  }
}

}  // namespace

void add_recordings(CLI::App& command, RecordingOptions& o) {
  command.add_option("PATH", o.paths, "recordings, and folders of them")->type_name("FILE");
  command.add_option("--data", o.data, "a data set whose items have sound")->type_name("DATASET");
  command.add_option("--set", o.settings, "key=value: a setting of its loader; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command.add_option("--limit", o.limit, "items of the data set, drawn by the seed; 0: all")
      ->capture_default_str()
      ->type_name("N");
}

Recordings find_recordings(const RecordingOptions& o, const Session& session) {
  if (o.paths.empty() && o.data.empty()) throw UsageError("name recordings, folders of them, or a data set (--data)");
  if (!o.settings.empty() && o.data.empty()) throw UsageError("--set is a setting of --data, which is not given");
  Recordings out;
  add_paths(o, out);
  if (!o.data.empty()) add_items(o, session, out);
  return out;
}

}  // namespace segue
