// segue data check
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "framework/base/clock.hpp"
#include "framework/cli/checks.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/dataset_figures.hpp"
#include "framework/data/user_facets.hpp"

namespace segue {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> settings;
  TableFormat format = TableFormat::kText;
};

Check verdict(std::string what, std::size_t wrong, const std::string& good, const std::string& bad) {
  if (wrong == 0) return {Verdict::kOk, std::move(what), good, ""};
  return {Verdict::kFail, std::move(what), fmt::format("{} {}", wrong, bad),
          "the loader is at fault; please report it"};
}

Check vocabulary(const std::string& what, const Vocab& vocab) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < vocab.size(); ++i) {
    if (vocab[i].empty() || (i > 0 && !canonical_less(vocab[i - 1], vocab[i]))) ++wrong;
  }
  if (vocab.size() == 0) return {Verdict::kFail, what, "none", "the files hold no usable rows"};
  return verdict(what, wrong, fmt::format("{} ids, distinct, in canonical order", vocab.size()), "ids out of order");
}

// (user, time, item, kind, value, session): the canonical order of events.
bool ordered(const Event& a, const Event& b) {
  return std::tie(a.user, a.time, a.item, a.kind, a.value) <= std::tie(b.user, b.time, b.item, b.kind, b.value);
}

bool same(const Event& a, const Event& b) {
  return std::tie(a.user, a.time, a.item, a.kind, a.value) == std::tie(b.user, b.time, b.item, b.kind, b.value);
}

std::size_t out_of_range(const Events& events, const Dataset& data) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < events.size(); ++i)
    wrong += raw(events.users()[i]) >= data.users.size() || raw(events.items()[i]) >= data.items.size() ? 1 : 0;
  return wrong;
}

void check_events(const Dataset& data, std::vector<Check>& out) {
  const Events& events = data.events;
  out.push_back(verdict("events", out_of_range(events, data),
                        fmt::format("{}, all of known users and items", events.size()),
                        "events of users or items that do not exist"));
  if (events.empty()) out.back() = {Verdict::kFail, "events", "none", "the files hold no usable rows"};
  std::size_t disordered = 0, duplicates = 0, bad_values = 0, odd_times = 0;
  const std::int64_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i > 0 && !ordered(events[i - 1], events[i])) ++disordered;
    if (i > 0 && same(events[i - 1], events[i])) ++duplicates;
    if (!std::isfinite(events.values()[i])) ++bad_values;
    if (data.has_times && (events.times()[i] <= 0 || events.times()[i] > now)) ++odd_times;
  }
  out.push_back(verdict("order", disordered, "by user, time, item", "events out of order"));
  out.push_back(verdict("values", bad_values, "all finite", "values that are not finite"));
  out.push_back({Verdict::kOk, "duplicates", "no event stands twice", ""});
  if (duplicates > 0) {
    out.back() = {Verdict::kWarning, "duplicates", fmt::format("{} events equal another in everything", duplicates),
                  "feedback.duplicates says what a task makes of them"};
  }
  if (data.has_times) {
    out.push_back({Verdict::kOk, "times", "all between 1970 and now", ""});
    if (odd_times > 0) {
      out.back() = {Verdict::kWarning, "times", fmt::format("{} events before 1970 or in the future", odd_times),
                    "are they seconds since 1970?"};
    }
  } else {
    out.push_back({Verdict::kWarning, "times", "none: only the order of each user's events is known",
                   "splits by time mean places in that order"});
  }
}

void check_facets(const Dataset& data, std::vector<Check>& out) {
  const std::size_t n = data.items.size();
  for (const auto& [name, facet] : data.facets.all()) {
    std::size_t rows = n, wrong = 0;
    const auto terms = [&](const auto& weights, std::size_t n_terms) {
      rows = weights.rows();
      for (const TermIdx term : weights.all_indices()) wrong += static_cast<std::size_t>(term) >= n_terms ? 1 : 0;
    };
    if (const auto* text = dynamic_cast<const ItemText*>(facet.get())) rows = text->titles.size();
    if (const auto* release = dynamic_cast<const ItemRelease*>(facet.get())) rows = release->released.size();
    if (const auto* audio = dynamic_cast<const ItemAudio*>(facet.get())) rows = audio->sources.size();
    if (const auto* tags = dynamic_cast<const ItemTags*>(facet.get())) terms(tags->weights, tags->tags.size());
    if (const auto* words = dynamic_cast<const ItemWords*>(facet.get())) terms(words->counts, words->words.size());
    if (const auto* artist = dynamic_cast<const ItemArtist*>(facet.get())) {
      rows = artist->artist_of.size();
      for (const std::uint32_t a : artist->artist_of) wrong += a != kNoArtist && a >= artist->artists.size() ? 1 : 0;
    }
    if (const auto* kind = dynamic_cast<const ItemClass*>(facet.get())) {
      rows = std::min(kind->class_of.size(), kind->fold_of.size());
      for (const std::uint32_t c : kind->class_of) wrong += c != ItemClass::kNone && c >= kind->classes.size() ? 1 : 0;
      for (const std::uint32_t f : kind->fold_of) wrong += f != ItemClass::kNone && f >= kind->folds.size() ? 1 : 0;
    }
    if (const auto* users = dynamic_cast<const UserText*>(facet.get())) {
      rows = users->titles.size();
      out.push_back(verdict(name, rows == data.users.size() ? 0 : 1, fmt::format("a row for each of {} users", rows),
                            fmt::format("table of {} rows for {} users", rows, data.users.size())));
      continue;
    }
    out.push_back(verdict(name, wrong + (rows == n ? 0 : 1), fmt::format("a row for each of {} items", rows),
                          fmt::format("entries wrong, {} rows for {} items", rows, n)));
  }
}

void check_splits(const Dataset& data, std::vector<Check>& out) {
  for (const GivenSplit& split : data.given) {
    const std::size_t wrong = out_of_range(split.train, data) + out_of_range(split.test, data) + out_of_range(split.known, data);
    out.push_back(verdict("split " + split.name, wrong,
                          fmt::format("{} train, {} test events", split.train.size(), split.test.size()),
                          "events of users or items that do not exist"));
    std::set<std::pair<UserIdx, ItemIdx>> train;
    for (std::size_t i = 0; i < split.train.size(); ++i) train.emplace(split.train.users()[i], split.train.items()[i]);
    std::size_t both = 0;
    for (std::size_t i = 0; i < split.test.size(); ++i)
      both += train.contains({split.test.users()[i], split.test.items()[i]}) ? 1 : 0;
    if (both > 0) {
      out.push_back({Verdict::kWarning, "split " + split.name, fmt::format("{} test pairs are in train too", both),
                     "decide `repeats:` of the task"});
    }
  }
}

ExitCode check(const Options& o, const Session& session) {
  const DatasetRegistry::Entry& entry = find_dataset(session, o.name);
  const Stopwatch watch;
  const Dataset data = entry.make()->load(parse_settings(o.settings), session.roots);
  std::vector<Check> checks;
  checks.push_back({Verdict::kOk, "load", format_seconds(watch.seconds()), ""});
  const bool only_items = has_only_items(data);
  if (only_items)
    checks.push_back({Verdict::kNote, "users, events", contents_of(data), ""});
  else
    checks.push_back(vocabulary("users", data.users));
  checks.push_back(vocabulary("items", data.items));
  if (!only_items) check_events(data, checks);
  check_facets(data, checks);
  check_splits(data, checks);
  for (const std::string& note : data.notes) checks.push_back({Verdict::kNote, "loader", note, ""});
  show_checks(checks, o.format);
  const std::size_t failed = count(checks, Verdict::kFail);
  if (failed > 0)
    throw DataError("data set '{}': {} of {} checks failed", dataset_text(o.name, o.settings), failed, checks.size());
  return ExitCode::kOk;
}

}  // namespace

void add_data_check(CLI::App& data, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(data, "check", "loads a data set and verifies everything that Segue relies on",
                              {{"segue data check movielens edition=1m", "ids, order, duplicates, times, splits"},
                               {"segue data check delimited path=plays.tsv", "a file of your own"}});
  add_dataset(cmd, o->name, o->settings);
  add_format(cmd, o->format);
  on_run(cmd, session, [o, &session] { return check(*o, session); });
}

}  // namespace segue
