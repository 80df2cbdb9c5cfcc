#include "framework/data/user_facets.hpp"

#include <memory>

namespace segue {

void UserTitles::set(std::string_view user, std::string_view title) {
  if (!title.empty()) titles_.set(users_.intern(user), title);
}

void UserTitles::place(Dataset& dataset) const {
  std::vector<std::uint32_t> order;
  for (std::size_t u = 0; u < dataset.users.size(); ++u) order.push_back(users_.find(dataset.users[u]));
  if (!titles_.any_of(order)) return;
  auto facet = std::make_shared<UserText>();
  facet->titles = titles_.placed(order);
  dataset.facets.add(std::move(facet));
}

}  // namespace segue
