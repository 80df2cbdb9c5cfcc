#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "framework/base/build_info.hpp"
#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

// Known answers of Random123's kat_vectors for philox4x32-10.
TEST(Philox, MatchesTheAuthorsKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32({f, f, f, f}, {f, f}), (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, StreamsDependOnPositionNotOnTime) {
  Rng rng(7);
  Rng a = rng.stream("negatives", 3, 5);
  rng.next_u64();
  Rng b = rng.stream("negatives", 3, 5);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next_u64(), b.next_u64());
  EXPECT_NE(rng.stream("negatives", 3, 5).next_u64(), rng.stream("negatives", 5, 3).next_u64());
  EXPECT_NE(rng.stream("a").next_u64(), rng.stream("b").next_u64());
}

TEST(Rng, DrawsTheBlocksOneAfterAnother) {
  Rng rng(7);
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(rng.seed()), static_cast<std::uint32_t>(rng.seed() >> 32)};
  for (std::uint32_t block = 0; block < 100; ++block)
    for (std::uint32_t value : philox4x32({block, 0, 0, 0}, key)) EXPECT_EQ(rng.next_u32(), value) << block;
}

TEST(Rng, DistributionsHaveTheirMoments) {
  Rng rng(1);
  double sum = 0, squares = 0, uniform = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
    uniform += rng.uniform();
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));          // five standard errors
  EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[rng.below(7)];
  for (int c : counts) EXPECT_NEAR(c, 10000, 5 * std::sqrt(70000 * (1.0 / 7) * (6.0 / 7)));
  counts.assign(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[rng.below32(7)];
  for (int c : counts) EXPECT_NEAR(c, 10000, 5 * std::sqrt(70000 * (1.0 / 7) * (6.0 / 7)));
  // Three quarters of 2^32: without rejection every third value would come twice as often.
  int low = 0;
  for (int i = 0; i < 60000; ++i) low += rng.below32(0xc0000000u) % 3 == 0;
  EXPECT_NEAR(low, 20000, 5 * std::sqrt(60000 * (1.0 / 3) * (2.0 / 3)));
}

TEST(Rng, SampleWithoutReplacementIsAPermutationWhenAllAreDrawn) {
  auto all = Rng(3).sample_without_replacement(50, 50);
  std::set<std::uint64_t> distinct(all.begin(), all.end());
  EXPECT_EQ(distinct.size(), 50u);
  EXPECT_EQ(*distinct.rbegin(), 49u);
}

// A thread-count test that only sees two threads on two cores would test nothing.
TEST(Executor, RunsAsManyDistinctThreadsAsAskedFor) {
  for (int threads : {1, 2, 3, 8}) {
    Executor exec(threads);
    EXPECT_EQ(exec.threads(), threads);
    std::atomic<int> arrived{0};
    std::vector<std::thread::id> who(static_cast<std::size_t>(threads));
    exec.for_blocks(who.size(), 1, [&](std::size_t begin, std::size_t) {
      who[begin] = std::this_thread::get_id();
      ++arrived;
      const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (arrived < threads && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    });
    EXPECT_EQ(std::set<std::thread::id>(who.begin(), who.end()).size(), static_cast<std::size_t>(threads));
  }
}

// Two at once: a small one that is alive must not take threads from a large one, lest a comparison of 1 and 8 threads
// compare 1 with 1.
TEST(Executor, HasItsThreadsWhileASmallerOneIsAlive) {
  const Executor one(1), four(4);
  const Executor two(2);
  std::atomic<int> arrived{0};
  four.for_blocks(4, 1, [&](std::size_t, std::size_t) {
    ++arrived;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (arrived < 4 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    EXPECT_EQ(arrived, 4);
  });
}

TEST(Executor, FoldsInBlockOrderSoThatBitsDoNotDependOnThreads) {
  std::vector<float> values(100000);
  Rng rng(5);
  rng.fill_normal(values, 0, 1);
  std::set<float> sums;
  for (int threads : {1, 2, 3, 8}) {
    Executor exec(threads);
    sums.insert(exec.reduce_blocks(
        values.size(), 1000, 0.0f,
        [&](std::size_t b, std::size_t e) { float s = 0; for (std::size_t i = b; i < e; ++i) s += values[i]; return s; },
        [](float a, float b) { return a + b; }));
  }
  EXPECT_EQ(sums.size(), 1u);
}

TEST(Executor, RethrowsWhatABodyThrows) {
  Executor exec(3);
  EXPECT_THROW(exec.for_blocks(10, 1, [](std::size_t b, std::size_t) { if (b == 4) throw DataError("bad"); }), DataError);
}

// What stands in memory is the note that stands in the file.
TEST(BuildInfo, TheProgramIsKnownByItsBuildId) {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  const std::string head("\4\0\0\0\24\0\0\0\3\0\0\0GNU\0", 16);  // lengths of name and id, kind, name
  const std::size_t at = file.find(head);
  ASSERT_NE(at, std::string::npos);
  std::string id;
  for (const char c : file.substr(at + head.size(), 20)) id += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_THAT(program_id(), testing::HasSubstr(id));
  EXPECT_THAT(program_id(), testing::MatchesRegex("[0-9a-f]{40}( [0-9a-f]{40})?"));
}

TEST(Hash, SeparatesItsParts) {
  EXPECT_NE(Hasher().add("ab").add("c").hex(), Hasher().add("a").add("bc").hex());
  EXPECT_EQ(Hasher().add("ab").hex().size(), 32u);
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);  // XXH3_64bits of the empty string, from the xxHash test vectors
}

TEST(Suggestion, FindsTheSlipAndListsTheRest) {
  const std::vector<std::string> known{"alpha", "factors", "reg"};
  EXPECT_EQ(suggestion("factor", known), "; did you mean 'factors'? known: alpha, factors, reg");
  EXPECT_EQ(suggestion("zzzz", known), "; known: alpha, factors, reg");
  EXPECT_EQ(nearest_name("fcators", known), "factors");
}

TEST(Units, ParseAndPrint) {
  EXPECT_DOUBLE_EQ(parse_duration("30m"), 1800);
  EXPECT_DOUBLE_EQ(parse_bytes("4G"), 4.0 * 1024 * 1024 * 1024);
  EXPECT_THROW(parse_duration("soon"), UsageError);
  EXPECT_THROW(parse_bytes("-4G"), UsageError);
  EXPECT_EQ(format_seconds(185), "3 min 05 s");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
}

}  // namespace
}  // namespace segue
