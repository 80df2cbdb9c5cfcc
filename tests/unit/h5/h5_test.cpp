#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/base/executor.hpp"
#include "framework/h5/file.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class H5 : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "segue-h5-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<float> ramp(std::size_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.5f);
  return values;
}

const std::vector<std::string> kTexts = {"", "plain", "Sigur Rós – Ágætis byrjun", "二 tabs\tand \"quotes\"\n",
                                         "\xF0\x9F\x8E\xB5"};

void write_sample(const fs::path& path, float first = 0.5f) {
  H5Writer out(path);
  std::vector<float> scores = ramp(3000 * 7);
  scores[0] = first;
  out.attribute("/", "schema", 3);
  out.attribute("/", "status", "ok");
  out.array("/views/abc/topk/scores", scores, {3000, 7});
  out.array("/views/abc/topk/items", std::vector<std::uint32_t>{4, 0, 4294967295u, 1, 2, 3}, {3, 2});
  out.strings("/users", kTexts);
  out.attribute("/views/abc/topk", "k", std::int64_t{7});
  out.attribute("/views/abc/topk/items", "note", std::string("exact"));
  out.attribute("/timing", "fit_seconds", 1.25);
  out.commit();
}

template <class T>
void expect_round_trip(const fs::path& path, const std::vector<T>& values) {
  {
    H5Writer out(path);
    out.array("/x", std::span<const T>(values));
    out.array("/deep/er/empty", std::span<const T>());
    out.commit();
  }
  const H5Reader in(path);
  EXPECT_EQ(in.array<T>("/x"), values);
  EXPECT_THAT(in.shape("/x"), ElementsAre(values.size()));
  EXPECT_THAT(in.array<T>("/deep/er/empty"), IsEmpty());
  EXPECT_THAT(in.shape("/deep/er/empty"), ElementsAre(0u));
}

template <class T>
std::vector<T> extremes(std::size_t n) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<T>(i * 37 % 101);
  values[0] = std::numeric_limits<T>::lowest();
  values[1] = std::numeric_limits<T>::max();
  values[n - 1] = std::numeric_limits<T>::min();
  return values;
}

TEST_F(H5, RoundTripsEveryTypeSmallAndCompressed) {
  for (const std::size_t n : {5u, 1024u, 200000u}) {  // contiguous; at the border; several chunks with a ragged end
    expect_round_trip(folder_ / "u8", extremes<std::uint8_t>(n));
    expect_round_trip(folder_ / "u32", extremes<std::uint32_t>(n));
    expect_round_trip(folder_ / "u64", extremes<std::uint64_t>(n));
    expect_round_trip(folder_ / "i32", extremes<std::int32_t>(n));
    expect_round_trip(folder_ / "i64", extremes<std::int64_t>(n));
    expect_round_trip(folder_ / "f32", extremes<float>(n));
    expect_round_trip(folder_ / "f64", extremes<double>(n));
  }
}

TEST_F(H5, KeepsNaNAndInfinityBitsShapesTextsAndAttributes) {
  const fs::path path = folder_ / "made" / "on" / "the" / "way.h5";
  write_sample(path);
  const H5Reader in(path);
  EXPECT_EQ(in.array<float>("/views/abc/topk/scores"), ramp(21000));
  EXPECT_THAT(in.shape("/views/abc/topk/scores"), ElementsAre(3000u, 7u));
  EXPECT_THAT(in.array<std::uint32_t>("/views/abc/topk/items"), ElementsAre(4u, 0u, 4294967295u, 1u, 2u, 3u));
  EXPECT_EQ(in.strings("/users"), kTexts);
  EXPECT_EQ(in.attribute_int("/", "schema"), 3);
  EXPECT_EQ(in.attribute_text("/", "status"), "ok");
  EXPECT_EQ(in.attribute_int("/views/abc/topk", "k"), 7);
  EXPECT_EQ(in.attribute_text("/views/abc/topk/items", "note"), "exact");
  EXPECT_EQ(in.attribute_real("/timing", "fit_seconds"), 1.25);
  EXPECT_THAT(in.attribute_names("/"), ElementsAre("schema", "status"));
  EXPECT_THAT(in.children("/"), ElementsAre("timing", "users", "views"));
  EXPECT_THAT(in.children("/views/abc/topk"), ElementsAre("items", "scores"));
  EXPECT_EQ(in.path(), path);

  const double odd[] = {std::nan(""), -INFINITY, -0.0};
  {
    H5Writer out(folder_ / "odd.h5");
    out.array("/x", std::span<const double>(odd));
    out.strings("/none", {});
    out.attribute("/g", "text", std::string(200000, 'y'));  // above the 64 KiB of a compact attribute
    out.attribute("/g", "empty", "");
    out.commit();
  }
  const H5Reader back(folder_ / "odd.h5");
  const std::vector<double> x = back.array<double>("/x");
  EXPECT_TRUE(std::isnan(x[0]) && std::isinf(x[1]) && std::signbit(x[2]));
  EXPECT_THAT(back.strings("/none"), IsEmpty());
  EXPECT_EQ(back.attribute_text("/g", "text")->size(), 200000u);
  EXPECT_EQ(back.attribute_text("/g", "empty"), "");
}

TEST_F(H5, AbsentThingsAreSaidToBeAbsent) {
  write_sample(folder_ / "a.h5");
  const H5Reader in(folder_ / "a.h5");
  EXPECT_TRUE(in.has("/"));
  EXPECT_TRUE(in.has("/views/abc"));
  EXPECT_FALSE(in.has("/views/xyz/topk/items"));
  EXPECT_FALSE(in.has("/users/below/a/dataset"));
  EXPECT_FALSE(in.has("views"));
  EXPECT_TRUE(in.is_group("/views/abc/topk"));
  EXPECT_FALSE(in.is_group("/views/abc/topk/items"));
  EXPECT_FALSE(in.is_group("/nowhere"));
  EXPECT_EQ(in.attribute_text("/", "nope"), std::nullopt);
  EXPECT_EQ(in.attribute_text("/nowhere", "nope"), std::nullopt);
  EXPECT_FALSE(in.has_attribute("/timing", "nope"));
}

template <class E, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type of error: ") + error.what();
  }
  return "no error";
}

TEST_F(H5, MessagesNameFileAndObject) {
  const fs::path path = folder_ / "a.h5";
  write_sample(path);
  const H5Reader in(path);
  EXPECT_THAT(message_of<DataError>([&] { in.array<double>("/views/abc/topk/scores"); }),
              testing::AllOf(HasSubstr("a.h5"), HasSubstr("'/views/abc/topk/scores' holds f32, not f64")));
  EXPECT_THAT(message_of<DataError>([&] { in.array<std::int32_t>("/views/abc/topk/items"); }),
              HasSubstr("holds u32, not i32"));
  EXPECT_THAT(message_of<DataError>([&] { in.array<float>("/views/nope"); }), HasSubstr("no '/views/nope'"));
  EXPECT_THAT(message_of<DataError>([&] { in.array<float>("/views/abc"); }), HasSubstr("not a dataset"));
  EXPECT_THAT(message_of<DataError>([&] { in.array<float>("/users"); }), HasSubstr("holds text, not f32"));
  EXPECT_THAT(message_of<DataError>([&] { in.strings("/views/abc/topk/items"); }), HasSubstr("holds u32, not text"));
  EXPECT_THAT(message_of<DataError>([&] { in.children("/users"); }), HasSubstr("no group '/users'"));
  EXPECT_THAT(message_of<DataError>([&] { in.attribute_int("/", "nope"); }), HasSubstr("no attribute 'nope' at '/'"));
  EXPECT_THAT(message_of<DataError>([&] { in.attribute_int("/", "status"); }), HasSubstr("holds text, not i64"));
  EXPECT_THAT(message_of<DataError>([&] { (void)in.attribute_text("/", "schema"); }), HasSubstr("holds i64, not text"));

  EXPECT_THAT(message_of<EnvironmentError>([&] { H5Reader(folder_ / "missing.h5"); }),
              testing::AllOf(HasSubstr("missing.h5"), HasSubstr("No such file")));
  std::ofstream(folder_ / "text.h5") << "not HDF5 at all\n";
  EXPECT_THAT(message_of<DataError>([&] { H5Reader(folder_ / "text.h5"); }), HasSubstr("text.h5"));
  fs::copy_file(path, folder_ / "cut.h5");
  fs::resize_file(folder_ / "cut.h5", fs::file_size(path) / 2);
  EXPECT_THAT(message_of<DataError>([&] { H5Reader(folder_ / "cut.h5"); }),
              testing::AllOf(HasSubstr("cut.h5"), HasSubstr("truncated")));
  std::ofstream(folder_ / "empty.h5");
  EXPECT_THAT(message_of<DataError>([&] { H5Reader(folder_ / "empty.h5"); }), HasSubstr("empty.h5"));

  std::ofstream(folder_ / "file");
  EXPECT_THAT(message_of<EnvironmentError>([&] { H5Writer(folder_ / "file" / "below.h5"); }), HasSubstr("file"));
}

TEST_F(H5, HDF5ItselfPrintsNothing) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(H5Reader("/proc/version"), DataError);
  write_sample(folder_ / "a.h5");
  EXPECT_THROW((void)H5Reader(folder_ / "a.h5").array<float>("/users/x/y"), DataError);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(H5, ADamagedChunkIsAnErrorNotAValue) {
  write_sample(folder_ / "a.h5");
  std::string bytes = bytes_of(folder_ / "a.h5");
  const std::size_t zlib = bytes.find("\x78\x5e");  // the header that deflate(4) writes
  ASSERT_NE(zlib, std::string::npos);
  for (std::size_t i = zlib + 40; i < zlib + 80; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  std::ofstream(folder_ / "b.h5", std::ios::binary) << bytes;
  const H5Reader in(folder_ / "b.h5");
  EXPECT_THAT(message_of<DataError>([&] { in.array<float>("/views/abc/topk/scores"); }),
              HasSubstr("cannot read '/views/abc/topk/scores'"));
}

TEST_F(H5, MisuseIsALogicErrorAndNulsAreRefused) {
  H5Writer out(folder_ / "a.h5");
  out.array("/x", std::vector<float>{1});
  EXPECT_THAT(message_of<LogicError>([&] { out.array("/x", std::vector<float>{1}); }),
              HasSubstr("'/x' is written twice"));
  EXPECT_THAT(message_of<LogicError>([&] {
                out.array("/y", ramp(6), {2, 2});
              }),
              HasSubstr("6 values but its shape asks for 4"));
  EXPECT_THAT(message_of<LogicError>([&] { out.array("y", ramp(6)); }), HasSubstr("not an absolute path"));
  EXPECT_THAT(message_of<DataError>([&] {
                out.strings("/s", {"ok", std::string("a\0b", 3)});
              }),
              HasSubstr("text 1 of '/s'"));
  out.attribute("/", "a", 1);
  EXPECT_THAT(message_of<LogicError>([&] { out.attribute("/", "a", 1); }), HasSubstr("written twice"));
  EXPECT_THAT(message_of<LogicError>([&] { out.attribute("/", "big", ~std::uint64_t{0}); }), HasSubstr("exceeds i64"));
  out.commit();
  EXPECT_THAT(message_of<LogicError>([&] { out.commit(); }), HasSubstr("committed already"));
  EXPECT_THAT(message_of<LogicError>([&] { out.attribute("/", "late", 1); }), HasSubstr("committed already"));
}

TEST_F(H5, OnlyCommitMakesTheFile) {
  const fs::path path = folder_ / "a.h5";
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path().filename());
    return found;
  };
  {
    H5Writer out(path);
    out.array("/x", ramp(10));
    EXPECT_THAT(names(), ElementsAre(fmt::format("a.h5.tmp-{}", ::getpid())));
  }
  EXPECT_THAT(names(), IsEmpty());
  write_sample(path, 1.f);
  const std::string before = bytes_of(path);
  { H5Writer(path).array("/x", ramp(10)); }
  EXPECT_TRUE(bytes_of(path) == before);
  write_sample(path, 2.f);
  EXPECT_FALSE(bytes_of(path) == before);
  EXPECT_THAT(names(), ElementsAre("a.h5"));
}

TEST_F(H5, EqualContentIsEqualBytesInAnyProcessAndAtAnyTime) {
  write_sample(folder_ / "a.h5");
  const pid_t child = ::fork();
  if (child == 0) {
    write_sample(folder_ / "b.h5");
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ::sleep(1);  // HDF5 times count seconds
  write_sample(folder_ / "c.h5");
  EXPECT_TRUE(bytes_of(folder_ / "a.h5") == bytes_of(folder_ / "b.h5"));
  EXPECT_TRUE(bytes_of(folder_ / "a.h5") == bytes_of(folder_ / "c.h5"));
}

TEST_F(H5, ManyReadersAndThreadsAtOnce) {
  write_sample(folder_ / "a.h5");
  const H5Reader shared(folder_ / "a.h5");
  fs::permissions(folder_ / "a.h5", fs::perms::owner_read);
  std::vector<std::size_t> sizes(32);
  Executor(4).for_blocks(sizes.size(), 1, [&](std::size_t i, std::size_t) {
    const H5Reader own(folder_ / "a.h5");
    sizes[i] = own.array<float>("/views/abc/topk/scores").size() + shared.strings("/users").size();
  });
  EXPECT_THAT(sizes, testing::Each(21005u));
}

std::string hash_of(const fs::path& path, const std::string& group = "/", const std::vector<std::string>& skip = {}) {
  Hasher hasher;
  hash_h5_group(H5Reader(path), group, skip, hasher);
  return hasher.hex();
}

TEST_F(H5, TheGroupHashSeesContentOnly) {
  const auto write = [&](const std::string& name, auto change) {
    H5Writer out(folder_ / name);
    change(out);
    out.commit();
    return folder_ / name;
  };
  const std::vector<std::uint32_t> x{1, 2, 3, 4};
  const auto base = [&](H5Writer& w) {
    w.array("/g/x", x), w.attribute("/g", "k", 1), w.attribute("/timing", "s", 0.5), w.strings("/g/s", {"ab", "c"});
  };
  const fs::path a = write("a", base);
  EXPECT_EQ(
      hash_of(a), hash_of(write("same", [&](H5Writer& w) {  // another order of writing
        w.strings("/g/s", {"ab", "c"}), w.attribute("/timing", "s", 0.5), w.attribute("/g", "k", 1), w.array("/g/x", x);
      })));
  const std::vector<fs::path> others = {
      write("value",
            [&](H5Writer& w) {
              w.array("/g/x", std::vector<std::uint32_t>{1, 2, 3, 5}), w.attribute("/g", "k", 1),
                  w.attribute("/timing", "s", 0.5), w.strings("/g/s", {"ab", "c"});
            }),
      write("type",
            [&](H5Writer& w) {
              w.array("/g/x", std::vector<std::int32_t>{1, 2, 3, 4}), w.attribute("/g", "k", 1),
                  w.attribute("/timing", "s", 0.5), w.strings("/g/s", {"ab", "c"});
            }),
      write("shape",
            [&](H5Writer& w) {
              w.array("/g/x", x, {2, 2}), w.attribute("/g", "k", 1), w.attribute("/timing", "s", 0.5),
                  w.strings("/g/s", {"ab", "c"});
            }),
      write("name",
            [&](H5Writer& w) {
              w.array("/g/y", x), w.attribute("/g", "k", 1), w.attribute("/timing", "s", 0.5),
                  w.strings("/g/s", {"ab", "c"});
            }),
      write("text",
            [&](H5Writer& w) {
              w.array("/g/x", x), w.attribute("/g", "k", 1), w.attribute("/timing", "s", 0.5),
                  w.strings("/g/s", {"a", "bc"});
            }),
      write("attribute",
            [&](H5Writer& w) {
              w.array("/g/x", x), w.attribute("/g", "k", 2), w.attribute("/timing", "s", 0.5),
                  w.strings("/g/s", {"ab", "c"});
            }),
      write("moved",
            [&](H5Writer& w) {
              w.array("/g/x", x), w.attribute("/g/x", "k", 1), w.attribute("/timing", "s", 0.5),
                  w.strings("/g/s", {"ab", "c"});
            }),
      write("group", [&](H5Writer& w) { base(w), w.attribute("/g/sub", "z", 0); }),
  };
  for (const fs::path& other : others) EXPECT_NE(hash_of(a), hash_of(other)) << other;

  const fs::path slower = write("slower", [&](H5Writer& w) {
    w.array("/g/x", x), w.attribute("/g", "k", 1), w.attribute("/timing", "s", 0.75), w.strings("/g/s", {"ab", "c"});
  });
  EXPECT_NE(hash_of(a), hash_of(slower));
  EXPECT_EQ(hash_of(a, "/", {"/timing"}), hash_of(slower, "/", {"/timing"}));
  EXPECT_EQ(hash_of(a, "/", {"/timing@s"}), hash_of(slower, "/", {"/timing@s"}));
  EXPECT_NE(hash_of(a, "/", {"/timing"}), hash_of(a, "/", {"/timing@s"}));
  EXPECT_EQ(hash_of(a, "/g"), hash_of(slower, "/g"));
}

// An implementation that shares no code with ours but the C library.
class H5py : public H5 {
 protected:
  static std::string python(const std::string& code) {
    const std::string command = "/usr/bin/python3 -c '" + code + "' 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string text;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
    ::pclose(pipe);
    return text;
  }
  void SetUp() override {
    H5::SetUp();
    if (python("import h5py") != "") GTEST_SKIP() << "/usr/bin/python3 has no h5py (apt-get install python3-h5py)";
  }
};

TEST_F(H5py, ReadsWhatWeWrite) {
  write_sample(folder_ / "a.h5");
  EXPECT_EQ(python(fmt::format(R"(
import h5py
f = h5py.File("{}", "r")
t = f["/views/abc/topk"]
print(t["scores"].shape, t["scores"].dtype, t["scores"].compression, t["scores"].shuffle, float(t["scores"][2999, 6]))
print(t["items"][:].tolist(), t["items"].dtype, t["items"].chunks)
print(ascii([s.decode("utf-8") for s in f["users"][:]]))
print(f.attrs["schema"], type(f.attrs["status"]).__name__, f.attrs["status"], t.attrs["k"], f["timing"].attrs["fit_seconds"])
)",
                               (folder_ / "a.h5").string())),
            "(3000, 7) float32 gzip True 20999.5\n"
            "[[4, 0], [4294967295, 1], [2, 3]] uint32 None\n"
            "['', 'plain', 'Sigur R\\xf3s \\u2013 \\xc1g\\xe6tis byrjun', '\\u4e8c tabs\\tand \"quotes\"\\n', "
            "'\\U0001f3b5']\n"
            "3 str ok 7 1.25\n");
}

TEST_F(H5py, WritesWhatWeReadAndCompressionDoesNotChangeTheHash) {
  write_sample(folder_ / "a.h5");
  EXPECT_EQ(python(fmt::format(R"(
import h5py
f = h5py.File("{}", "r")
g = h5py.File("{}", "w")
for k in f.attrs: g.attrs[k] = f.attrs[k]
for k in f: f.copy(k, g)
s = g["/views/abc/topk/scores"][:]
del g["/views/abc/topk/scores"]
g.create_dataset("/views/abc/topk/scores", data=s)
g.attrs.create("schema", 3, dtype="<i8")
g.close()
)",
                               (folder_ / "a.h5").string(), (folder_ / "b.h5").string())),
            "");
  EXPECT_EQ(H5Reader(folder_ / "b.h5").strings("/users"), kTexts);
  EXPECT_FALSE(bytes_of(folder_ / "a.h5") == bytes_of(folder_ / "b.h5"));
  EXPECT_EQ(hash_of(folder_ / "a.h5"), hash_of(folder_ / "b.h5"));
}

}  // namespace
}  // namespace segue
