// segue next: what comes after a history that nobody in the data needs to have.
#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/item_table.hpp"
#include "framework/model/recommend.hpp"
#include "framework/model/score_scale.hpp"
#include "framework/model/typical_tags.hpp"

namespace segue {

namespace {

struct Arguments {
  std::string trial, results, history;
  std::vector<std::string> items;
  int n = 10;
  bool repeats = false, without_repeats = false, json = false;
  TableFormat format{};
};

// Of --history, between commas outside quotes.
struct Piece {
  std::string text;
  bool quoted = false;
  std::size_t begin = 0, end = 0;  // where it stands, without the blanks around it
};

// "A, B, \"C, D\"" -> A; B; C, D. Inside quotes a quote is written twice.
std::vector<Piece> split_at_commas(const std::string& text) {
  std::vector<Piece> out;
  Piece piece;
  bool inside = false;
  const auto end = [&] {
    while (!piece.quoted && piece.text.ends_with(' ')) piece.text.pop_back();
    piece.end = piece.begin + piece.text.size();  // of no use where it is quoted
    if (!piece.text.empty()) out.push_back(std::move(piece));
    piece = {};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      const bool doubled = c == '"' && i + 1 < text.size() && text[i + 1] == '"';
      if (doubled) ++i;
      inside = c != '"' || doubled;
      if (inside) piece.text += c;
    } else if (c == ',') {
      end();
    } else if (c == '"' && piece.text.empty()) {
      inside = piece.quoted = true;
    } else if (c != ' ' || (!piece.text.empty() && !piece.quoted)) {
      if (piece.text.empty()) piece.begin = i;
      piece.text += c;
    }
  }
  if (inside) throw UsageError("--history: the quote before '{}' is not closed", piece.text);
  end();
  return out;
}

// Oldest first. What commas part may be no more than a piece of a title, which a part of another title must not be
// taken for: only whole titles and ids count there.
std::vector<ItemIdx> find_history(const StoredModel& m, const Arguments& args) {
  const std::vector<Piece> pieces = split_at_commas(args.history);
  std::vector<ItemIdx> out;
  constexpr std::size_t kMostCommas = 4;
  for (std::size_t at = 0; at < pieces.size();) {
    // The longest run of pieces that is a title with commas in it, as it was written, else with a blank behind each
    // comma.
    std::string text, joined = pieces[at].text;
    std::size_t end = at + 1;
    for (std::size_t n = at + 1; n < pieces.size() && n <= at + kMostCommas && !pieces[n].quoted && !pieces[at].quoted;
         ++n) {
      joined += ", " + pieces[n].text;
      for (const std::string& run : {args.history.substr(pieces[at].begin, pieces[n].end - pieces[at].begin), joined}) {
        if (m.whole_matches(run).empty()) continue;
        text = run, end = n + 1;
        break;
      }
    }
    const bool alone = pieces[at].quoted || pieces.size() == 1;
    out.push_back(end > at + 1 ? m.find_item(text, Match::kWhole)
                               : m.find_item(pieces[at].text, alone ? Match::kPart : Match::kWhole));
    at = end;
  }
  for (const std::string& item : args.items) out.push_back(m.find_item(item));
  if (out.empty())
    throw UsageError("what was heard? --history \"A, B, C\", oldest first, by title or id; or --item A --item B");
  return out;
}

// Whether the history changes any score: of baselines it does not, nor of models that need ratings where it has none.
bool reads_history(const Recommender& model, const Query& query) {
  const std::vector<Query> queries{query, {.now = query.now}};
  Matrix<float> scores(2, static_cast<Eigen::Index>(model.n_items()));
  model.score(queries, scores);
  return scores.row(0) != scores.row(1);
}

std::string name_of(const StoredModel& m, ItemIdx item) {
  const std::string artist = m.artist(item);
  return m.title(item) + (artist.empty() ? "" : " - " + artist);
}

std::string tag_list(const StoredModel& m, const std::vector<TypicalTag>& tags, std::size_t items) {
  std::string out;
  for (const TypicalTag& t : tags)
    out += fmt::format("{}{} ({} of {})", out.empty() ? "" : ", ",
                       m.fold.facets.require<ItemTags>().tags[static_cast<std::size_t>(t.tag)], t.items, items);
  return out.empty() ? "no tag stands out" : out;
}

ExitCode next_items(Session& session, const Arguments& args) {
  const TableFormat format = args.json ? TableFormat::kJson : args.format;
  const StoredModel m = open_stored_model(session, args.trial, args.results);
  const std::vector<ItemIdx> history = find_history(m, args);
  Query query;  // of nobody known: all there is to go by is the history, as one session
  query.history = history;
  const std::vector<float> weights(history.size(), m.play_weight.value_or(0));
  if (m.play_weight) query.weights = weights;
  const auto times = m.fold.train_histories.times();
  if (!times.empty()) query.now = *std::max_element(times.begin(), times.end());

  std::vector<ItemIdx> heard;
  if (!args.repeats) {
    heard = history;
    std::sort(heard.begin(), heard.end());
    heard.erase(std::unique(heard.begin(), heard.end()), heard.end());
  }
  const std::vector<std::uint64_t> offsets{0, heard.size()};
  CandidatePolicy policy;
  policy.excluded = {offsets, heard};
  policy.item_keys = m.fold.items.keys();
  policy.task_seed = m.fold.task_seed;
  const TopK top = recommend(*m.model, {&query, 1}, policy, static_cast<std::size_t>(args.n), Executor(0));
  const std::span<const ItemIdx> row = top.row(0);
  const std::span<const ItemIdx> found =
      row.first(static_cast<std::size_t>(std::find(row.begin(), row.end(), kNoItem) - row.begin()));

  const ScoreScale scale(*m.model, query, heard);
  ItemColumns columns;
  columns.scale = scale.is_probability() ? "probability" : "relative";
  columns.scores.assign(top.row_scores(0).begin(), top.row_scores(0).end());
  for (const float score : columns.scores) columns.scaled.push_back(scale(score));

  std::vector<TypicalTag> past, future;
  const ItemTags* tags = m.fold.facets.find<ItemTags>();
  if (tags != nullptr) {
    constexpr std::size_t kTags = 5;
    const TagCatalogue catalogue(*tags);
    past = catalogue.typical(history, kTags);
    future = catalogue.typical(found, kTags);
  }
  const Table next = item_table(m, found, columns);
  const bool reads = reads_history(*m.model, query);
  const std::string unread =
      fmt::format("{} does not read this history: its scores are those of an empty one, so everybody gets this list",
                  m.trial.label);
  if (format != TableFormat::kText) {
    Table vibe;
    vibe.columns = {{"of"}, {"tag"}, {"items", Align::kRight}, {"z", Align::kRight}};
    for (const auto& [name, list] : {std::pair("history", &past), std::pair("next", &future)})
      for (const TypicalTag& t : *list)
        vibe.add({name, std::string(tags->tags[static_cast<std::size_t>(t.tag)]), Cell(t.items), Cell::fixed(t.z, 2)});
    Table model = record_table();
    model.add({"label", m.trial.label});
    model.add({"reads history", reads});
    show(NamedTables{{"history", item_table(m, history, {})}, {"next", next}, {"vibe", vibe}, {"model", model}},
         format);
    if (!reads) log_warning("{}", unread);
    return ExitCode::kOk;
  }
  std::string after;
  for (const ItemIdx item : history) after += (after.empty() ? "" : ", ") + name_of(m, item);
  fmt::print("after {}: next by {} on {}\n", after, m.trial.label, m.trial.dataset);
  show(next, format);
  if (tags != nullptr) {
    fmt::print("vibe of the history:    {}\n", tag_list(m, past, history.size()));
    fmt::print("vibe of what is next:   {}\n", tag_list(m, future, found.size()));
  }
  if (!scale.is_probability())
    fmt::print("relative: 1 is the best of all candidates, 0 the worst; scores of {} are no probabilities\n",
               m.trial.label);
  if (!reads) fmt::print("{}\n", unread);
  return ExitCode::kOk;
}

}  // namespace

void add_next(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd =
      add_command(app, "next", "what a stored model expects after a history, and the vibe of both",
                  {{"segue next --trial item_knn --history \"Low Tide, Amber Road\" -n 3", "by title, oldest first"},
                   {"segue next --trial item_knn --item t00042 --item \"Girl, Wait\"", "by id; titles with commas"},
                   {"segue next --trial bpr --history \"t00042, t00007\" --repeats --json", "for a program"}});
  cmd.add_option("--history", args->history,
                 "what was heard, oldest first: titles or ids with commas between them, or in \"quotes\"")
      ->type_name("TITLES");
  cmd.add_option("--item", args->items, "one more item behind the history, by title or id; may be repeated")
      ->allow_extra_args(false)
      ->type_name("ID|TITLE");
  CLI::Option* repeats = cmd.add_flag("--repeats", args->repeats, "also what is in the history");
  cmd.add_flag("--exclude-history", args->without_repeats, "leave out what is in the history (the default)")
      ->excludes(repeats);
  add_stored_model(cmd, args->trial, args->results, args->n);
  cmd.add_flag("--json", args->json, "the same as --format json: history, next, vibe and model");
  add_format(cmd, args->format);
  on_run(cmd, session, [args, &session] { return next_items(session, *args); });
}

}  // namespace segue
