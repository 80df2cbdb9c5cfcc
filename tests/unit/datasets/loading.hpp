// How the loaders' tests load: by name and YAML-like parameters, from the real data or a folder of the test's own.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/data/loader.hpp"
#include "tests/support/data_dir.hpp"
#include "tests/support/temp_folder.hpp"

void segue_register_dataset_audio_folder(segue::DatasetRegistry& registry);
void segue_register_dataset_delimited(segue::DatasetRegistry& registry);
void segue_register_dataset_esc(segue::DatasetRegistry& registry);
void segue_register_dataset_fma(segue::DatasetRegistry& registry);
void segue_register_dataset_gtzan(segue::DatasetRegistry& registry);
void segue_register_dataset_hetrec_lastfm(segue::DatasetRegistry& registry);
void segue_register_dataset_lastfm_1k(segue::DatasetRegistry& registry);
void segue_register_dataset_lastfm_360k(segue::DatasetRegistry& registry);
void segue_register_dataset_million_playlist(segue::DatasetRegistry& registry);
void segue_register_dataset_movielens(segue::DatasetRegistry& registry);
void segue_register_dataset_msd_taste_profile(segue::DatasetRegistry& registry);
void segue_register_dataset_ncf(segue::DatasetRegistry& registry);
void segue_register_dataset_recbole(segue::DatasetRegistry& registry);
void segue_register_dataset_sequences(segue::DatasetRegistry& registry);
void segue_register_dataset_synthetic(segue::DatasetRegistry& registry);
void segue_register_dataset_thirtymusic(segue::DatasetRegistry& registry);

namespace segue::test {

inline DatasetRegistry all_datasets() {
  DatasetRegistry registry;
  segue_register_dataset_audio_folder(registry);
  segue_register_dataset_delimited(registry);
  segue_register_dataset_esc(registry);
  segue_register_dataset_fma(registry);
  segue_register_dataset_gtzan(registry);
  segue_register_dataset_hetrec_lastfm(registry);
  segue_register_dataset_lastfm_1k(registry);
  segue_register_dataset_lastfm_360k(registry);
  segue_register_dataset_million_playlist(registry);
  segue_register_dataset_movielens(registry);
  segue_register_dataset_msd_taste_profile(registry);
  segue_register_dataset_ncf(registry);
  segue_register_dataset_recbole(registry);
  segue_register_dataset_sequences(registry);
  segue_register_dataset_synthetic(registry);
  segue_register_dataset_thirtymusic(registry);
  return registry;
}

using Params = std::initializer_list<std::pair<const char*, Value>>;

inline Value params_of(Params params) {
  Value out = Value::map();
  for (const auto& [key, value] : params) out.set(key, value);
  return out;
}
inline Value text(std::string value) { return Value::string(std::move(value)); }

inline Dataset load(const std::string& name, Params params, const DataRoots& roots) {
  const auto loader = all_datasets().find(name).make();
  for (const auto& file : loader->files(params_of(params), roots)) EXPECT_TRUE(std::filesystem::exists(file)) << file;
  return loader->load(params_of(params), roots);
}
inline Dataset load(const std::string& name, Params params, const TempFolder& folder) {
  return load(name, params, DataRoots{{folder.path()}});
}
inline Dataset load_real(const std::string& name, Params params) {
  return load(name, params, DataRoots{data_folders()});
}

// The message of the segue::Error that loading throws; a failure where it throws none.
inline std::string error_of(const std::string& name, Params params, const TempFolder& folder,
                            ExitCode code = ExitCode::kData) {
  try {
    all_datasets().find(name).make()->load(params_of(params), DataRoots{{folder.path()}});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << name << " loaded what it should have refused";
  return "";
}

// Index of an external id; fails the test where it is unknown.
inline std::size_t at(const Vocab& vocab, std::string_view id) {
  const auto found = vocab.find(id);
  EXPECT_TRUE(found.has_value()) << id;
  return found.value_or(0);
}

// Tags of an item by name, with their weights.
inline std::map<std::string, float> tags_of(const Dataset& data, std::string_view item) {
  const ItemTags& tags = data.facets.require<ItemTags>();
  const std::size_t row = at(data.items, item);
  std::map<std::string, float> out;
  for (std::size_t i = 0; i < tags.weights.row_size(row); ++i) {
    out[std::string(tags.tags[static_cast<std::size_t>(tags.weights.indices(row)[i])])] = tags.weights.values(row)[i];
  }
  return out;
}
inline std::string title_of(const Dataset& data, std::string_view item) {
  return std::string(data.facets.require<ItemText>().titles[at(data.items, item)]);
}

}  // namespace segue::test

#define SEGUE_NEEDS_DATA(relative) \
  if (!::segue::test::real_data(relative)) GTEST_SKIP() << ::segue::test::missing_data(relative)
