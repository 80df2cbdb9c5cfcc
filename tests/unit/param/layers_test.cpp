#include "framework/param/layers.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "framework/param/yaml.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

std::string show(const std::vector<Origin>& origins) {
  std::string out;
  for (const Origin& origin : origins) {
    out += origin.path + ":";
    for (const auto& c : origin.winner_then_losers) out += fmt::format(" {}({})={}", c.origin, c.mark, c.text);
    out += "\n";
  }
  return out;
}

TEST(Layers, MapsMergeAndEverythingElseReplaces) {
  Layers layers;
  layers.add("defaults", parse_yaml("{k: 10, run: {jobs: 1, timeout: 60}, seeds: [1, 2], x.y: 1, e: {}}", "d"));
  layers.add("nothing", Value::null());
  layers.add("suite", parse_yaml("{run: {jobs: 2}, seeds: [3], name: s}", "s"));
  layers.add("command line", parse_yaml("{run: {jobs: 4}, k: {deep: 1}}", "c"));
  EXPECT_EQ(layers.merged().text(), "{k: {deep: 1}, run: {jobs: 4, timeout: 60}, seeds: [3], x.y: 1, e: {}, name: s}");
  EXPECT_EQ(show(layers.origins()),
            "k.deep: command line(c:1:28)=1\n"
            "run.jobs: command line(c:1:14)=4 suite(s:1:14)=2 defaults(d:1:21)=1\n"
            "run.timeout: defaults(d:1:33)=60\n"
            "seeds: suite(s:1:25)=[3] defaults(d:1:45)=[1, 2]\n"
            "x\\.y: defaults(d:1:58)=1\n"
            "e: defaults(d:1:64)={}\n"
            "name: suite(s:1:36)=s\n");
}

TEST(Layers, RefusesWhatCannotBeMerged) {
  Layers layers;
  EXPECT_EQ(refusal([&] { layers.add("x", parse_yaml("[1]", "d")); }),
            "d:1:1: expected a map of settings, got list [1]");
  layers.add("d", parse_yaml("a: {b: [1]}", "d"));
  layers.add("s", parse_yaml("a: {b: {c: 1}}", "s"));
  EXPECT_EQ(refusal([&] { layers.merged(); }), "s:1:8: a.b is a list at d:1:8; a map cannot be merged into it");
  EXPECT_EQ(Layers().merged().text(), "{}");
}

TEST(Environment, NamesBecomePathsAndValuesAreTyped) {
  const char* env[] = {"SEGUE_RUN__TIMEOUT=30", "HOME=/",         "SEGUE_RUN__JOBS=1,2", "SEGUE_DATA_DIR=/d",
                       "SEGUE_NAME=",           "SEGUE_X={a: 1}", "SEGUE_NO_VALUE",      nullptr};
  const Value layer = environment_layer(env);
  EXPECT_EQ(layer.find("run")->text(), "{jobs: [1, 2], timeout: 30}");
  EXPECT_EQ(layer.text(), "{name: \"\", run: {jobs: [1, 2], timeout: 30}, x: {a: 1}}");
  EXPECT_EQ(layer.find("run")->find("timeout")->mark().str(), "environment SEGUE_RUN__TIMEOUT");
  EXPECT_EQ(environment_layer(env, {"SEGUE_X", "SEGUE_NAME", "SEGUE_RUN__JOBS"}).text(),
            "{data_dir: /d, run: {timeout: 30}}");
  EXPECT_EQ(environment_layer(nullptr).text(), "{}");
}

TEST(Environment, CollisionsAndEmptyPartsAreRefused) {
  const auto refused = [](std::vector<const char*> env) {
    env.push_back(nullptr);
    return refusal([&] { environment_layer(env.data()); });
  };
  EXPECT_EQ(refused({"SEGUE_A__B=2", "SEGUE_A=1"}),
            "environment SEGUE_A__B: 'a' is set by environment SEGUE_A as well");
  EXPECT_EQ(refused({"SEGUE_A={c: 1}", "SEGUE_A__B=2"}),
            "environment SEGUE_A__B: 'a' is set by environment SEGUE_A as well");
  EXPECT_EQ(refused({"SEGUE_A=1", "SEGUE_a=2"}), "environment SEGUE_a: 'a' is set by environment SEGUE_A as well");
  EXPECT_EQ(refused({"SEGUE_A__B=1", "SEGUE_a=2"}),
            "environment SEGUE_a: 'a' is set by environment SEGUE_A__B as well");
  EXPECT_EQ(refused({"SEGUE_=1"}), "environment SEGUE_: a part of the name is empty; SEGUE_A__B sets a.b");
  EXPECT_EQ(refused({"SEGUE_A__=1"}), "environment SEGUE_A__: a part of the name is empty; SEGUE_A__B sets a.b");
  EXPECT_EQ(refused({"SEGUE_A=[1"}), "environment SEGUE_A: the '[' opened here is never closed");
}

class Includes : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("segue_includes_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_ / "sub");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::string refused(const std::string& path) const {
    return refusal([&] {
      std::vector<Layer> layers;
      load_with_includes(path, layers);
    });
  }
  std::filesystem::path folder_;
};

TEST_F(Includes, AreLowerLayersRelativeToTheIncludingFile) {
  const std::string deep = write("sub/deep.yaml", "{a: 1, b: 1, c: 1, d: 1}\n");
  const std::string base = write("sub/base.yaml", "include: deep.yaml\nb: 2\nc: 2\nd: 2\n");
  const std::string more = write("more.yaml", "c: 3\nd: 3\n");
  const std::string suite = write("suite.yaml", "include: [sub/base.yaml, more.yaml]\nd: 4\n");
  std::vector<Layer> layers;
  EXPECT_EQ(load_with_includes(suite, layers).text(), "{a: 1, b: 2, c: 3, d: 4}");
  ASSERT_EQ(layers.size(), 4u);
  EXPECT_EQ(layers[0].origin, deep);
  EXPECT_EQ(layers[1].origin, base);
  EXPECT_EQ(layers[2].origin, more);
  EXPECT_EQ(layers[3].origin, suite);
  EXPECT_EQ(layers[3].values.text(), "{d: 4}");
}

TEST_F(Includes, CyclesMissingFilesAndWrongKindsAreRefused) {
  const std::string a = write("a.yaml", "include: b.yaml\n");
  const std::string b = write("b.yaml", "x: 1\ninclude: [./a.yaml]\n");
  EXPECT_EQ(refused(a), b + ":2:11: files include each other: " + a + " -> " + b + " -> " + a);
  const std::string self = write("self.yaml", "include: sub/../self.yaml\n");
  EXPECT_EQ(refused(self), self + ":1:10: files include each other: " + self + " -> " + self);
  const std::string gone = write("gone.yaml", "include: none.yaml\n");
  const std::string none = (folder_ / "none.yaml").string();
  EXPECT_EQ(refused(gone), gone + ":1:10: cannot include '" + none + "': " + none + ": no such file");
  EXPECT_EQ(refused(none), none + ": no such file");
  const std::string odd = write("odd.yaml", "include: {a: 1}\n");
  EXPECT_EQ(refused(odd), odd + ":1:10: include needs the name of a file or a list of names, got map {a: 1}");
  const std::string list = write("list.yaml", "[1]\n");
  EXPECT_EQ(refused(list), list + ":1:1: expected a map of settings, got list [1]");
  // A mistake inside an included file is reported where it is.
  const std::string broken = write("broken.yaml", "a: [\n");
  const std::string outer = write("outer.yaml", "include: broken.yaml\n");
  EXPECT_EQ(refused(outer), broken + ":1:4: the '[' opened here is never closed");
}

TEST_F(Includes, DoNotExplode) {
  write("f0.yaml", "a: 1\n");
  for (int i = 1; i <= 20; ++i) {
    write(fmt::format("f{}.yaml", i), fmt::format("include: [f{0}.yaml, f{0}.yaml]\n", i - 1));
  }
  EXPECT_NE(refused((folder_ / "f20.yaml").string()).find("more than 256 files are included"), std::string::npos);
}

}  // namespace
}  // namespace segue
