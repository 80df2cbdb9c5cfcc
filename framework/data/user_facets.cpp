#include "framework/data/user_facets.hpp"

#include <memory>

namespace segue {

void UserTitles::set(std::string_view user, std::string_view title) {
  if (title.empty()) return;
  const std::uint32_t number = users_.intern(user);
  if (number == title_of_.size()) title_of_.push_back(titles_.intern(title));
  std::uint32_t& known = title_of_[number];
  if (title < titles_[known]) known = titles_.intern(title);
}

void UserTitles::place(Dataset& dataset) const {
  std::vector<char> bytes;
  std::vector<std::uint64_t> offsets{0};
  for (std::size_t u = 0; u < dataset.users.size(); ++u) {
    const std::uint32_t number = users_.find(dataset.users[u]);
    const std::string_view title = number == Interner::kNone ? std::string_view() : titles_[title_of_[number]];
    bytes.insert(bytes.end(), title.begin(), title.end());
    offsets.push_back(bytes.size());
  }
  if (bytes.empty()) return;
  auto facet = std::make_shared<UserText>();
  facet->titles = StringTable(std::move(bytes), std::move(offsets));
  dataset.facets.add(std::move(facet));
}

}  // namespace segue
