// What a hybrid is made of: other algorithms, made anew as often as it fits them, on all it learns from or on a part.
//
// A hybrid's parameter struct names them (AlgorithmSpec fields) and lists them in `std::vector<AlgorithmSpec>
// components() const`; its constructor takes (Params, std::vector<Component>), in that order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/model/recommender.hpp"

namespace segue {

struct Component {
  std::string name;
  std::function<std::unique_ptr<Recommender>()> make;  // unfitted
};

// A fitted one, with a stream of random numbers of its own, `position`, in ctx.rng. What it reports of its epochs is
// not passed on, and it keeps no checkpoints: it is fitted in one piece. It is not stopped early.
std::unique_ptr<Recommender> fit_component(const Component& component, std::size_t position, const TrainData& data,
                                           FitContext& ctx);

// All of them, in their order, at positions 0, 1, ...
using ComponentModels = std::vector<std::unique_ptr<Recommender>>;
ComponentModels fit_components(const std::vector<Component>& components, const TrainData& data, FitContext& ctx);
void save_components(ArchiveWriter& archive, const ComponentModels& models);
ComponentModels load_components(const ArchiveReader& archive, const std::vector<Component>& components);

// Their names; several of one name are numbered: "item_knn", "item_knn 2".
std::vector<std::string> component_names(const std::vector<Component>& components);

// What each says about all items to one query: models x items. done(k): where it is heard that number k has said it.
Matrix<float> component_scores(const ComponentModels& models, const Query& query,
                               const std::function<void(std::size_t)>& done = {});

// Component number `position` in a hybrid's archive.
void save_component(ArchiveWriter& archive, std::size_t position, const Recommender& model);
std::unique_ptr<Recommender> load_component(const ArchiveReader& archive, std::size_t position,
                                            const Component& component);

}  // namespace segue
