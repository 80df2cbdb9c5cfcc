// segue data render
#include <fmt/format.h>

#include "framework/audio/sound_file.hpp"
#include "framework/cli/commands.hpp"

namespace segue {

namespace {

constexpr double kLongest = 1e6;  // s

struct Options {
  std::string name;
  std::vector<std::string> settings;
  std::string item, output;
  double from = 0, seconds = 0;  // seconds 0: to the end
  int sample_rate = 22050;
};

std::size_t item_of(const Dataset& data, const std::string& id) {
  if (const auto found = data.items.find(id)) return *found;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < data.items.size(); ++i) ids.emplace_back(data.items[i]);
  const std::string near = nearest_name(id, ids);  // all of them would be too many to list
  const std::string example = ids.empty() ? "" : fmt::format("; ids are like '{}'", ids.front());
  throw UsageError("no item '{}' in data set '{}'{}", id, data.name,
                   near.empty() ? example : fmt::format("; did you mean '{}'?", near));
}

ExitCode render_item(const Options& o, const Session& session) {
  const std::unique_ptr<DatasetLoader> loader = find_dataset(session, o.name).make();
  const Dataset data = loader->load(parse_settings(o.settings), session.roots);
  const auto* audio = data.facets.find<ItemAudio>();
  if (audio == nullptr) throw UsageError("data set '{}' does not say how its items sound", data.name);
  const std::string_view source = audio->sources[item_of(data, o.item)];
  if (source.empty()) throw UsageError("item '{}' of data set '{}' has no sound", o.item, data.name);
  const std::vector<float> samples =
      read_excerpt(*loader->sound(source, o.sample_rate), o.from, o.seconds > 0 ? o.seconds : kLongest);
  if (samples.empty()) throw UsageError("item '{}' ends before second {}", o.item, o.from);
  audio::write_wav(o.output, samples, o.sample_rate);
  fmt::print("{}\n", o.output);
  return ExitCode::kOk;
}

}  // namespace

void add_data_render(CLI::App& data, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(data, "render", "writes the sound of an item as a WAV file",
                  {{"segue data render demo --item t00001 -o t00001.wav", "a track of the demo world"},
                   {"segue data render demo --item t00042 --from 60 --seconds 30 -o out.wav", "30 s of it"}});
  add_dataset(cmd, o->name, o->settings);
  cmd.add_option("--item", o->item, "the item's id")->required()->type_name("ITEM");
  cmd.add_option("-o,--output", o->output, "the file to write: mono, 16 bits")->required()->type_name("FILE");
  cmd.add_option("--from", o->from, "the second to begin at; default: 0")
      ->check(between(0, kLongest))
      ->type_name("SECONDS");
  cmd.add_option("--seconds", o->seconds, "how much at most; default: to the end")
      ->check(between(0, kLongest))
      ->type_name("SECONDS");
  cmd.add_option("--sample-rate", o->sample_rate, "samples a second; default: 22050")
      ->check(between(8000, 192000))
      ->type_name("HZ");
  on_run(cmd, session, [o, &session] { return render_item(*o, session); });
}

}  // namespace segue
