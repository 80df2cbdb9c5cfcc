#include "framework/data/snapshot.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::HasSubstr;

// Every facet, ratings, validation, negatives, sessions, a warning: no part of a fold is empty.
PreparedFold rich_fold() {
  DatasetBuilder b("rich", "Rich");
  b.set_has_ratings(true);
  b.set_has_sessions(true);
  Rng rng(3);
  for (int i = 0; i < 400; ++i) {
    const std::string user = fmt::format("u{}", rng.below(20)), item = fmt::format("i{}", rng.below(40));
    b.add({.user = user,
           .item = item,
           .time = static_cast<std::int64_t>(rng.below(90)),
           .kind = EventKind::kRating,
           .value = 0.5f * static_cast<float>(1 + rng.below(10)),
           .session = static_cast<std::uint32_t>(rng.below(3))});
    b.add_tag_assignment(user, item, fmt::format("tag {}", i % 7));
    if (i % 3 == 0) b.add_negative("f", user, fmt::format("i{}", rng.below(40)));
  }
  b.declare_item("new release");
  for (int i = 0; i < 40; i += 2) {
    const std::string item = fmt::format("i{}", i);
    b.set_title(item, "Tïtle of " + item);
    b.set_artist(item, fmt::format("artist {}", i % 5));
    b.add_tag(item, "weighted", 0.1f * static_cast<float>(i));
    b.add_word(item, "word", 3);
    b.set_release(item, -i);
    b.set_audio(item, "tone:" + item);
    b.set_class(item, fmt::format("kind {}", i % 3));
    if (i % 4 == 0) b.set_fold(item, fmt::format("{}", i % 5));
  }
  const Dataset data = b.build();
  TaskSpec spec;
  spec.feedback.transform = "rating";
  spec.filter.min_user_events = 16;
  spec.split.test = 2;
  spec.split.validation = 1;
  PreparedFold fold = prepare_fold(data, spec, "all");
  fold.given_negatives = data.given.at(0).negatives;
  fold.warnings = {"first warning", "", "third"};
  return fold;
}

template <class T>
bool same(const Array<T>& a, const Array<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}
bool same(const StringTable& a, const StringTable& b) { return a.to_vector() == b.to_vector(); }
bool same(const Vocab& a, const Vocab& b) { return same(a.table(), b.table()) && same(a.keys(), b.keys()); }
template <class Index>
bool same(const Csr<Index>& a, const Csr<Index>& b) {
  return a.cols() == b.cols() && same(a.offsets(), b.offsets()) && same(a.all_indices(), b.all_indices()) &&
         same(a.all_values(), b.all_values());
}
bool same(const Histories& a, const Histories& b) {
  return same(a.offsets(), b.offsets()) && same(a.items(), b.items()) && same(a.times(), b.times()) &&
         same(a.weights(), b.weights()) && same(a.kinds(), b.kinds()) && same(a.sessions(), b.sessions());
}
bool same(const EvalSet& a, const EvalSet& b) {
  return same(a.users, b.users) && same(a.histories, b.histories) && same(a.now, b.now) &&
         same(a.truth_offsets, b.truth_offsets) && same(a.truth_items, b.truth_items) &&
         same(a.truth_values, b.truth_values) && same(a.rating_users, b.rating_users) &&
         same(a.rating_items, b.rating_items) && same(a.rating_values, b.rating_values);
}

void expect_same(const PreparedFold& a, const PreparedFold& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.dataset_name, b.dataset_name);
  EXPECT_EQ(a.dataset_title, b.dataset_title);
  EXPECT_EQ(a.dataset_fingerprint, b.dataset_fingerprint);
  EXPECT_TRUE(same(a.users, b.users));
  EXPECT_TRUE(same(a.items, b.items));
  EXPECT_TRUE(same(a.train.by_user(), b.train.by_user()));
  EXPECT_TRUE(same(a.train_histories, b.train_histories));
  EXPECT_TRUE(same(a.validation, b.validation));
  EXPECT_TRUE(same(a.test, b.test));
  EXPECT_TRUE(same(a.given_negatives, b.given_negatives));
  EXPECT_EQ(a.min_weight, b.min_weight);
  EXPECT_EQ(a.max_weight, b.max_weight);
  EXPECT_EQ(a.has_ratings, b.has_ratings);
  EXPECT_EQ(a.has_times, b.has_times);
  EXPECT_EQ(a.task_seed, b.task_seed);
  EXPECT_EQ(a.warnings, b.warnings);
  EXPECT_EQ(a.facets.dataset_name(), b.facets.dataset_name());
  EXPECT_EQ(std::memcmp(&a.leaks, &b.leaks, sizeof a.leaks), 0);
  EXPECT_EQ(a.filter.passes, b.filter.passes);
  EXPECT_EQ(a.filter.users_before, b.filter.users_before);
  EXPECT_EQ(a.filter.users_after, b.filter.users_after);
  EXPECT_EQ(a.filter.items_before, b.filter.items_before);
  EXPECT_EQ(a.filter.items_after, b.filter.items_after);
  EXPECT_EQ(a.filter.events_before, b.filter.events_before);
  EXPECT_EQ(a.filter.events_after, b.filter.events_after);
  ASSERT_EQ(a.facets.names(), b.facets.names());
  const auto both = [&]<class F>(std::type_identity<F>, auto compare) {
    if (a.facets.has(F::kName)) {
      EXPECT_TRUE(compare(a.facets.require<F>(), b.facets.require<F>())) << F::kName;
    }
  };
  both(std::type_identity<ItemText>(), [](const auto& x, const auto& y) { return same(x.titles, y.titles); });
  both(std::type_identity<ItemAudio>(), [](const auto& x, const auto& y) { return same(x.sources, y.sources); });
  both(std::type_identity<ItemRelease>(), [](const auto& x, const auto& y) { return same(x.released, y.released); });
  both(std::type_identity<ItemArtist>(),
       [](const auto& x, const auto& y) { return same(x.artist_of, y.artist_of) && same(x.artists, y.artists); });
  both(std::type_identity<ItemClass>(), [](const auto& x, const auto& y) {
    return same(x.class_of, y.class_of) && same(x.classes, y.classes) && same(x.fold_of, y.fold_of) &&
           same(x.folds, y.folds);
  });
  both(std::type_identity<ItemWords>(),
       [](const auto& x, const auto& y) { return same(x.counts, y.counts) && same(x.words, y.words); });
  both(std::type_identity<ItemTags>(), [](const auto& x, const auto& y) {
    return same(x.weights, y.weights) && same(x.tags, y.tags) && same(x.by_user, y.by_user) &&
           same(x.by_item, y.by_item) && same(x.by_tag, y.by_tag);
  });
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Snapshot, GivesBackEverything) {
  const auto folder = test::temp_folder();
  const PreparedFold fold = rich_fold();
  EXPECT_EQ(fold.facets.names().size(), 7u);
  EXPECT_GT(fold.validation.size(), 0u);
  EXPECT_GT(fold.filter.passes, 0);
  write_snapshot(fold, folder / "a/b/fold.snap");
  expect_same(fold, map_snapshot(folder / "a/b/fold.snap"));
  write_snapshot(map_snapshot(folder / "a/b/fold.snap"), folder / "again.snap");
  EXPECT_EQ(bytes_of(folder / "again.snap"), bytes_of(folder / "a/b/fold.snap"));
}

TEST(Snapshot, KeepsWhatIsAbsentAbsent) {
  const auto folder = test::temp_folder();
  const Dataset data = test::dataset_of({{"a", "p", 0}, {"a", "q", 1}}, false);
  const PreparedFold fold = prepare_fold(data, {}, "all");
  EXPECT_TRUE(fold.facets.names().empty());
  EXPECT_EQ(fold.validation.size(), 0u);
  write_snapshot(fold, folder / "fold.snap");
  expect_same(fold, map_snapshot(folder / "fold.snap"));
}

TEST(Snapshot, OutlivesTheFileNameAndTheFoldItWasCopiedFrom) {
  const auto folder = test::temp_folder();
  Array<ItemIdx> items;
  {
    write_snapshot(rich_fold(), folder / "fold.snap");
    items = map_snapshot(folder / "fold.snap").test.truth_items;
  }
  std::filesystem::remove(folder / "fold.snap");
  EXPECT_TRUE(same(items, rich_fold().test.truth_items));
}

TEST(Snapshot, AFileCutShortAnywhereIsRefused) {
  const auto folder = test::temp_folder();
  write_snapshot(rich_fold(), folder / "fold.snap");
  const std::size_t all = std::filesystem::file_size(folder / "fold.snap"), step = 1 + all / 401;
  std::size_t cuts = 0;
  // The last record may lose some of its padding, which holds nothing.
  for (std::size_t size = all - 64; size > step; size -= step) {
    std::filesystem::resize_file(folder / "fold.snap", size);
    EXPECT_THAT(message_of<DataError>([&] { map_snapshot(folder / "fold.snap"); }), HasSubstr("snapshot")) << size;
    ++cuts;
  }
  EXPECT_GT(cuts, 300u);
}

TEST(Snapshot, ForeignAndDamagedFilesAreRefused) {
  const auto folder = test::temp_folder();
  EXPECT_THAT(message_of<EnvironmentError>([&] { map_snapshot(folder / "none.snap"); }),
              HasSubstr("none.snap: No such file"));
  const auto foreign = folder.write("foreign.snap", std::string(1000, 'x'));
  EXPECT_EQ(message_of<DataError>([&] { map_snapshot(foreign); }),
            foreign.string() + " is not a snapshot of this version of Segue");
  write_snapshot(rich_fold(), folder / "fold.snap");
  std::string bytes = bytes_of(folder / "fold.snap");
  const std::size_t count = 64 + 64;  // of the first record: behind its name, element size and padding
  std::string huge = bytes;
  huge.replace(count, 8, std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8));
  EXPECT_THAT(message_of<DataError>([&] { map_snapshot(folder.write("huge.snap", huge)); }), HasSubstr("truncated"));
  std::string renamed = bytes;
  renamed.replace(64, 4, "nomo");
  EXPECT_EQ(message_of<DataError>([&] { map_snapshot(folder.write("renamed.snap", renamed)); }),
            "snapshot has no array 'name'");
}

}  // namespace
}  // namespace segue
