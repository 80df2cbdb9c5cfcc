// Loads a plugin made from the template, and prints its algorithm and what it scores.
#include <cstdio>

#include <fmt/format.h>

#include "framework/model/plugin.hpp"

using namespace segue;

int main(int, char** argv) {
  try {
    Registry registry;
    load_plugin(argv[1], registry);
    const std::string name = registry.names().at(0);
    const auto model = registry.make(name, Value::map());
    const FieldInfo field = registry.find(name).schema.fields().at(0);
    fmt::print("{} {}={}\n", name, field.name, field.default_text);

    // One user: item 0 a half-life ago, item 1 twice and item 2 once just now.
    const std::int64_t now = 100 * 86400, before = now - 30 * 86400;
    const Interactions train(Csr<ItemIdx>(3, std::vector<std::uint64_t>{0, 3},
                                          std::vector<ItemIdx>{item_at(0), item_at(1), item_at(2)}, {}));
    const Histories histories(std::vector<std::uint64_t>{0, 4},
                              std::vector<ItemIdx>{item_at(0), item_at(1), item_at(1), item_at(2)},
                              std::vector<std::int64_t>{before, now, now, now}, std::vector<float>(4, 1.f),
                              std::vector<EventKind>(4), std::vector<std::uint32_t>(4, 0));
    const Facets facets;
    const Executor exec(1);
    Progress progress;
    FitContext ctx{exec, Rng(1), progress};
    model->fit({train, histories, facets}, ctx);
    Matrix<float> scores(1, 3);
    const Query query;
    model->score({&query, 1}, scores);
    fmt::print("{} {} {}\n", scores(0, 0), scores(0, 1), scores(0, 2));
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}
