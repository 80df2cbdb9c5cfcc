#include "framework/model/components.hpp"

#include <map>

#include <fmt/format.h>

namespace segue {

namespace {

// Names below a prefix of another archive.
class PartWriter final : public ArchiveWriter {
 public:
  PartWriter(ArchiveWriter& whole, std::string prefix) : whole_(whole), prefix_(std::move(prefix)) {}
  void put(const std::string& name, std::span<const float> values) override { whole_.put(prefix_ + name, values); }
  void put(const std::string& name, std::span<const double> values) override { whole_.put(prefix_ + name, values); }
  void put(const std::string& name, std::span<const std::uint32_t> values) override {
    whole_.put(prefix_ + name, values);
  }
  void put(const std::string& name, std::span<const std::uint64_t> values) override {
    whole_.put(prefix_ + name, values);
  }
  void put_value(const std::string& name, double value) override { whole_.put_value(prefix_ + name, value); }
  void put_matrix(const std::string& name, const Matrix<float>& matrix) override {
    whole_.put_matrix(prefix_ + name, matrix);
  }

 private:
  ArchiveWriter& whole_;
  std::string prefix_;
};

class PartReader final : public ArchiveReader {
 public:
  PartReader(const ArchiveReader& whole, std::string prefix) : whole_(whole), prefix_(std::move(prefix)) {}
  bool has(const std::string& name) const override { return whole_.has(prefix_ + name); }
  std::vector<float> floats(const std::string& name) const override { return whole_.floats(prefix_ + name); }
  std::vector<double> doubles(const std::string& name) const override { return whole_.doubles(prefix_ + name); }
  std::vector<std::uint32_t> u32(const std::string& name) const override { return whole_.u32(prefix_ + name); }
  std::vector<std::uint64_t> u64(const std::string& name) const override { return whole_.u64(prefix_ + name); }
  double value(const std::string& name) const override { return whole_.value(prefix_ + name); }
  Matrix<float> matrix(const std::string& name) const override { return whole_.matrix(prefix_ + name); }

 private:
  const ArchiveReader& whole_;
  std::string prefix_;
};

// Values are attributes of the archive's group, which have no folders: hence the dash.
std::string prefix(std::size_t position) { return fmt::format("component{}-", position); }

// Passes on that there is work, and whether it is to be left; what an epoch of a component says would mix with the
// hybrid's own curve.
class QuietProgress final : public Progress {
 public:
  QuietProgress(Progress& outer, const std::string& name) : outer_(outer), name_(name) {}
  void step(std::size_t done, std::size_t total, std::string_view unit) override {
    outer_.step(done, total, fmt::format("{} of {}", unit, name_));
  }

 private:
  Progress& outer_;
  const std::string& name_;
};

}  // namespace

std::unique_ptr<Recommender> fit_component(const Component& component, std::size_t position, const TrainData& data,
                                           FitContext& ctx) {
  std::unique_ptr<Recommender> model = component.make();
  QuietProgress progress(ctx.progress, component.name);
  FitContext inner{ctx.exec, ctx.rng.stream("component", position), progress};
  model->fit(data, inner);
  return model;
}

void save_component(ArchiveWriter& archive, std::size_t position, const Recommender& model) {
  PartWriter part(archive, prefix(position));
  model.save(part);
}

std::unique_ptr<Recommender> load_component(const ArchiveReader& archive, std::size_t position,
                                            const Component& component) {
  std::unique_ptr<Recommender> model = component.make();
  model->load(PartReader(archive, prefix(position)));
  return model;
}

ComponentModels fit_components(const std::vector<Component>& components, const TrainData& data, FitContext& ctx) {
  ComponentModels out;
  for (std::size_t k = 0; k < components.size(); ++k) out.push_back(fit_component(components[k], k, data, ctx));
  return out;
}

void save_components(ArchiveWriter& archive, const ComponentModels& models) {
  for (std::size_t k = 0; k < models.size(); ++k) save_component(archive, k, *models[k]);
}

ComponentModels load_components(const ArchiveReader& archive, const std::vector<Component>& components) {
  ComponentModels out;
  for (std::size_t k = 0; k < components.size(); ++k) out.push_back(load_component(archive, k, components[k]));
  return out;
}

std::vector<std::string> component_names(const std::vector<Component>& components) {
  std::vector<std::string> out;
  std::map<std::string, int> seen;
  for (const Component& c : components) {
    const int number = ++seen[c.name];
    out.push_back(number == 1 ? c.name : fmt::format("{} {}", c.name, number));
  }
  return out;
}

Matrix<float> component_scores(const ComponentModels& models, const Query& query,
                               const std::function<void(std::size_t)>& done) {
  const auto items = static_cast<Eigen::Index>(models.front()->n_items());
  Matrix<float> out(static_cast<Eigen::Index>(models.size()), items);
  for (std::size_t k = 0; k < models.size(); ++k) {
    models[k]->score({&query, 1}, out.middleRows(static_cast<Eigen::Index>(k), 1));
    if (done) done(k);
  }
  return out;
}

}  // namespace segue
