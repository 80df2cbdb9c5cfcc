// A trained model from a results folder with the data it was trained on: what `recommend`, `next` and `similar` work with.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/cli/session.hpp"
#include "framework/data/task.hpp"
#include "framework/model/query.hpp"
#include "framework/model/recommender.hpp"
#include "framework/store/manifest.hpp"

namespace CLI {
class App;
}

namespace segue {

enum class Match { kWhole, kPart };

struct StoredModel {
  ManifestTrial trial;
  PreparedFold fold;
  std::unique_ptr<Recommender> model;
  // What a single play (or the fewest that count) weighs in a history under the suite's feedback; nothing where that is
  // ratings, of which a play says none, or where it would count against the item.
  std::optional<float> play_weight;

  std::string title(ItemIdx item) const;   // or the external id where there is none
  std::string artist(ItemIdx item) const;  // empty where unknown
  // By external id, else by title, whole or (kPart) where no whole one fits a part of it; case does not matter. UsageError
  // where none or several fit.
  ItemIdx find_item(const std::string& text, Match match = Match::kPart) const;
  // By external id, else all that have this title.
  std::vector<ItemIdx> whole_matches(const std::string& text) const;
  // What a trial asks of a user: everything before the test events is known, and it is the time of the first of them. Of
  // a user without test events, all that was trained on.
  Query query(UserIdx user) const;
};

// --trial, --results and -n of the commands that ask a stored model.
void add_stored_model(CLI::App& command, std::string& trial, std::string& results, int& n);

// trial: a fit id or its beginning, a label, or the path of a trial file. results: the folder; empty: every folder below
// results/. UsageError where none or several fit.
StoredModel open_stored_model(Session& session, const std::string& trial, const std::string& results);

}  // namespace segue
