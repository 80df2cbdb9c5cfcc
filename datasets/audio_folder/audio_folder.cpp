// A folder of recordings of one's own, perhaps with a table about them.
#include <algorithm>
#include <map>
#include <optional>

#include "framework/base/errors.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/recordings.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct AudioFolderParams {
  enum class Parent { kNothing, kArtist, kClass };
  std::string path = "";
  Parent parent = Parent::kNothing;
  std::string metadata = "";
  std::string separator = ",";
  std::string column_path = "";
  std::string column_title = "";
  std::string column_artist = "";
  std::string column_tags = "";
  std::string column_class = "";
  std::string column_release = "";
  std::string column_fold = "";
  bool listed_only = false;

  static Schema<AudioFolderParams> schema() {
    using P = AudioFolderParams;
    Schema<P> s;
    s.field("path", &P::path, "the folder, below a data folder or absolute");
    s.field("parent", &P::parent, "what the folder that a recording lies in names, where the table does not say it")
        .choices({{"nothing", P::Parent::kNothing}, {"artist", P::Parent::kArtist}, {"class", P::Parent::kClass}});
    s.field("metadata", &P::metadata,
            "a table about the recordings, in that folder, below a data folder or absolute; empty: none");
    s.field("separator", &P::separator, "between its columns: any text, or the word tab");
    s.field("column_path", &P::column_path, "its column of paths or file names; empty: path, file or filename");
    s.field("column_title", &P::column_title, "its column of titles; empty: title");
    s.field("column_artist", &P::column_artist, "its column of artists; empty: artist");
    s.field("column_tags", &P::column_tags, "its column of tags, parted by ; or |; empty: tags");
    s.field("column_class", &P::column_class, "its column of classes; empty: class, genre, label or category");
    s.field("column_release", &P::column_release,
            "its column of release dates (2001, 2001-05 or 2001-05-31); empty: release, release_date, date or year");
    s.field("column_fold", &P::column_fold, "its column of folds; empty: fold or split");
    s.field("listed_only", &P::listed_only, "only recordings that the table lists");
    return s;
  }
};

struct Settings {
  AudioFolderParams params;
  fs::path folder, metadata;  // metadata: empty where none
};

Settings settings_of(const Value& values, const DataRoots& roots) {
  Settings s{AudioFolderParams::schema().parse(values, "data set 'audio_folder'"), {}, {}};
  const auto refuse = [&](const char* what) {
    throw UsageError("{}data set 'audio_folder' {}", values.mark().prefix(), what);
  };
  if (s.params.path.empty()) refuse("needs a 'path'");
  if (s.params.separator.empty()) refuse("has an empty separator");
  if (s.params.listed_only && s.params.metadata.empty()) refuse("has 'listed_only' without a table ('metadata')");
  if (s.params.separator == "tab") s.params.separator = "\t";
  s.folder = roots.find(s.params.path, "");
  if (!s.params.metadata.empty()) {
    const fs::path beside = s.folder / s.params.metadata;
    s.metadata = fs::exists(beside) ? beside : roots.find(s.params.metadata, "");
  }
  return s;
}

// "2001", "2001-05", or as parse_iso_time() has it.
std::optional<std::int64_t> release_of(std::string_view text) {
  if (text.size() == 4) return parse_time(text, "%Y");
  if (text.size() == 7) return parse_time(text, "%Y-%m");
  return parse_iso_time(text);
}

// Which recording a table means: by its path below the folder or in full, or by its name, where only one has it.
class Finder {
 public:
  Finder(const fs::path& folder, const std::vector<Recording>& recordings)
      : folder_(fs::absolute(folder).lexically_normal()) {
    for (const Recording& r : recordings) {
      by_path_.emplace(r.path, &r);
      const auto [at, added] = by_name_.emplace(fs::path(r.path).filename().string(), &r);
      if (!added) at->second = nullptr;
    }
  }
  // nullptr: none, or several; `why` says which.
  const Recording* find(std::string_view text, std::string& why) const {
    fs::path path = fs::path(text).lexically_normal();
    if (path.is_absolute()) path = path.lexically_relative(folder_);
    why = "no such recording";
    if (const auto at = by_path_.find(path.generic_string()); at != by_path_.end()) return at->second;
    if (path.has_parent_path()) return nullptr;
    const auto at = by_name_.find(path.string());
    if (at == by_name_.end()) return nullptr;
    if (at->second == nullptr) why = "several recordings have that name";
    return at->second;
  }

 private:
  fs::path folder_;
  std::map<std::string, const Recording*> by_path_, by_name_;
};

struct Facts {
  std::string title, artist, kind, fold;
  std::vector<std::string> tags;
  std::optional<std::int64_t> released;
};

class Metadata {
 public:
  Metadata(const Settings& settings, const Finder& finder, DatasetBuilder& builder)
      : file_(settings.metadata, settings.params.separator) {
    const AudioFolderParams& p = settings.params;
    std::vector<std::string_view> fields;
    if (!file_.next(fields)) throw DataError("{}: expected a header, found nothing", settings.metadata.string());
    const Columns columns(fields);
    const auto column = [&](const std::string& named, const std::vector<std::string_view>& usual) {
      return named.empty() ? columns.find_any(usual) : std::optional(columns.require(file_, named));
    };
    const auto path = column(p.column_path, {"path", "file", "filename"});
    if (!path)
      throw file_.error("no column 'path', 'file' or 'filename', found {}; name it with column_path",
                        fmt::join(fields, ", "));
    const auto title = column(p.column_title, {"title"}), artist = column(p.column_artist, {"artist"}),
               tags = column(p.column_tags, {"tags"}),
               kind = column(p.column_class, {"class", "genre", "label", "category"}),
               release = column(p.column_release, {"release", "release_date", "date", "year"}),
               fold = column(p.column_fold, {"fold", "split"});
    SkippedRows skipped;
    while (file_.next(fields)) {
      if (fields.size() != columns.size()) {
        skipped.add(file_, fmt::format("expected {} fields", columns.size()));
        continue;
      }
      std::string why;
      const Recording* recording = fields[*path].empty() ? nullptr : finder.find(fields[*path], why);
      if (recording == nullptr) {
        skipped.add(file_, fields[*path].empty() ? "no path" : why);
        continue;
      }
      const auto text = [&](const std::optional<std::size_t>& at) { return at ? to_utf8(fields[*at]) : std::string(); };
      Facts facts{text(title), text(artist), text(kind), text(fold), tags_of(text(tags)), std::nullopt};
      if (release && !fields[*release].empty()) {
        facts.released = release_of(fields[*release]);
        odd_dates_ += facts.released ? 0 : 1;
      }
      if (!facts_.emplace(recording->path, std::move(facts)).second)
        skipped.add(file_, "a recording that an earlier row describes");
    }
    skipped.note(builder);
    if (odd_dates_ > 0)
      builder.note(fmt::format("{} release dates not understood; expected 2001, 2001-05 or 2001-05-31", odd_dates_));
  }
  const Facts* find(const Recording& recording) const {
    const auto at = facts_.find(recording.path);
    return at == facts_.end() ? nullptr : &at->second;
  }

 private:
  static std::vector<std::string> tags_of(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find_first_of(";|", begin), text.size());
      std::string_view tag = text.substr(begin, end - begin);
      while (tag.starts_with(' ')) tag.remove_prefix(1);
      while (tag.ends_with(' ')) tag.remove_suffix(1);
      if (!tag.empty()) out.emplace_back(tag);
      begin = end + 1;
    }
    return out;
  }

  RecordReader file_;
  std::map<std::string, Facts> facts_;  // by the recording's path
  std::size_t odd_dates_ = 0;
};

class AudioFolderLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const Settings settings = settings_of(params, roots);
    std::vector<fs::path> out;
    if (!settings.metadata.empty()) out.push_back(settings.metadata);
    for (const Recording& r : recordings_below(settings.folder)) out.push_back(settings.folder / r.path);
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const Settings settings = settings_of(values, roots);
    const AudioFolderParams& params = settings.params;
    const std::vector<Recording> recordings = recordings_below(settings.folder);
    if (recordings.empty())
      throw DataError("{}: no recordings; WAV, FLAC, Ogg, Opus, MP3, AIFF and the like are looked for",
                      settings.folder.string());
    DatasetBuilder builder("audio_folder", fs::absolute(settings.folder).lexically_normal().filename().string());
    builder.set_has_times(false);
    std::optional<Metadata> metadata;
    if (!settings.metadata.empty()) metadata.emplace(settings, Finder(settings.folder, recordings), builder);
    std::size_t unlisted = 0, n = 0;
    for (const Recording& recording : recordings) {
      const Facts* known = metadata ? metadata->find(recording) : nullptr;
      unlisted += metadata && known == nullptr ? 1 : 0;
      if (params.listed_only && known == nullptr) continue;
      Facts facts = known == nullptr ? Facts() : *known;
      const std::string parent = to_utf8(folder_of(recording.path));
      if (facts.title.empty()) facts.title = to_utf8(stem_of(recording.path));
      if (facts.artist.empty() && params.parent == AudioFolderParams::Parent::kArtist) facts.artist = parent;
      if (facts.kind.empty() && params.parent == AudioFolderParams::Parent::kClass) facts.kind = parent;
      add(recording, facts, builder);
      ++n;
    }
    if (n == 0)
      throw DataError("{}: no row describes a recording below {}", settings.metadata.string(),
                      settings.folder.string());
    if (unlisted > 0)
      builder.note(fmt::format("{} of {} recordings are not in the table{}", unlisted, recordings.size(),
                               params.listed_only ? "; left out" : ""));
    return builder.build();
  }

 private:
  static void add(const Recording& recording, const Facts& facts, DatasetBuilder& builder) {
    const std::string item = to_utf8(recording.path);
    builder.declare_item(item);
    builder.set_audio(item, recording.absolute);
    builder.set_title(item, facts.title);
    builder.set_artist(item, facts.artist);
    builder.set_class(item, facts.kind);
    builder.set_fold(item, facts.fold);
    for (const std::string& tag : facts.tags) builder.add_tag(item, tag);
    const bool among = std::find(facts.tags.begin(), facts.tags.end(), facts.kind) != facts.tags.end();
    if (!facts.kind.empty() && !among) builder.add_tag(item, facts.kind);
    if (facts.released) builder.set_release(item, *facts.released);
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(audio_folder, segue::AudioFolderParams, segue::AudioFolderLoader,
              {"audio_folder",
               "A folder of recordings of your own, with a table about them or without",
               "that of the recordings",
               "the folder that you name",
               {}})
