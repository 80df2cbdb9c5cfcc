// What scripts rely on: exit codes, streams, formats.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/transcript.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

using Json = nlohmann::json;

// Every command that help shows, walked through help itself.
void all_commands(const std::vector<std::string>& path, std::vector<std::vector<std::string>>& out) {
  if (path.size() > 3) return;  // help was misread
  std::vector<std::string> help = path;
  help.emplace_back("--help");
  std::istringstream text(segue(help).out);
  bool listing = false;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with(":") && !line.starts_with(" "))
      listing = line != "Examples:" && line != "Usage:" && line != "Arguments:" && line != "Options:" &&
                line != "Global options:";
    if (!listing || !line.starts_with("  ") || line.starts_with("   ")) continue;
    std::vector<std::string> command = path;
    command.push_back(line.substr(2, line.find(' ', 2) - 2));
    out.push_back(command);
    all_commands(command, out);
  }
}

int bash_accepts(const std::string& script, const std::string& shell = "bash -n") {
  const TempFolder folder;
  const auto file = folder.write("script", script);
  return std::system((shell + " " + file.string()).c_str());
}

TEST(Program, WithoutArgumentsPrintsAShortHelp) {
  const Outcome outcome = segue({});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(outcome.out.starts_with("Examples:\n"));
  EXPECT_LT(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 60);
  EXPECT_EQ(outcome.err, "");
}

TEST(Program, HelpOfEveryCommandBeginsWithExamplesAndFitsTheTerminal) {
  std::vector<std::vector<std::string>> commands;
  all_commands({}, commands);
  EXPECT_GE(commands.size(), 13u);
  for (std::vector<std::string> command : commands) {
    command.emplace_back("--help");
    const Outcome outcome = segue(command);
    SCOPED_TRACE(outcome.out);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_TRUE(outcome.out.starts_with("Examples:\n  "));
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 80u) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
}

TEST(Program, HelpBeforeAndAfterAreTheSame) {
  EXPECT_EQ(segue({"help", "data", "list"}).out, segue({"data", "list", "--help"}).out);
  EXPECT_EQ(segue({"help"}).out, segue({"-h"}).out);
}

TEST(Program, VersionIsOneLineOrAnObject) {
  const std::string line = segue({"--version"}).out;
  EXPECT_TRUE(line.starts_with("segue ")) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_TRUE(segue({"version"}).out.starts_with(line));
  const Json json = Json::parse(segue({"version", "--json"}).out);
  for (const char* key :
       {"version", "git_commit", "git_dirty", "compiler", "flags", "arch", "arch_resolved", "build_type", "eigen",
        "tbb", "hdf5", "yaml_cpp", "armadillo", "fmt", "cpu", "blas", "blas_core"})
    EXPECT_TRUE(json.contains(key) && json[key].is_string() && json[key] != "") << key;
}

TEST(Program, ErrorsAreOneLineOnStderr) {
  for (const auto& command : std::vector<std::vector<std::string>>{{"data", "info", "nope"},
                                                                   {"nope"},
                                                                   {"data", "fetch", "movielens-100k", "--offline"},
                                                                   {"algo", "show", "nope"}}) {
    const Outcome outcome = segue(command);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("segue: ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(Program, ExitCodesSayWhoseFaultItIs) {
  EXPECT_EQ(segue({"metric", "show", "ndgc"}).exit_code, 2);
  EXPECT_EQ(segue({"data", "info", "movielens"}).exit_code, 3);  // its files are not there
  EXPECT_EQ(segue({"data", "fetch", "movielens-100k", "--offline"}).exit_code, 4);
  EXPECT_EQ(segue({"data", "check", "demo", "users=50", "artists=20", "tracks=100", "days=30"}).exit_code, 0);
}

TEST(Program, BadDataIsNamedByFileAndLine) {
  const TempFolder folder;
  folder.write("ml-100k/u.data", "1\t10\t3\t881250949\n1\t11\tthree\t881250950\n");
  folder.write("ml-100k/u.item", "10|A (1995)|01-Jan-1995|||0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|1\n");
  folder.write("ml-100k/u.user", "1|24|M|technician|85711\n");
  const Outcome outcome = segue({"data", "check", "movielens"}, {{"SEGUE_DATA_DIR", folder.path().string()}});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("ml-100k/u.data:2: "), std::string::npos) << outcome.err;
}

TEST(Program, DataIsFoundWhereTheEnvironmentSays) {
  const auto state = [](const std::map<std::string, std::string>& environment) {
    for (const Json& row : Json::parse(segue({"data", "list", "--format", "json"}, environment).out)) {
      if (row["download"] == "movielens-100k") return row["state"].get<std::string>();
    }
    return std::string("no such row");
  };
  const TempFolder folder;
  for (const char* name : {"u.data", "u.item", "u.user"}) folder.write(std::string("ml-100k/") + name, "x");
  EXPECT_EQ(state({}), "not here");
  EXPECT_EQ(state({{"SEGUE_DATA_DIR", "/nowhere:" + folder.path().string()}}), "here");
  const Outcome fetched = segue({"data", "fetch", "ml-100k", "--root", folder.path().string(), "--offline"});
  EXPECT_EQ(fetched.exit_code, 0) << fetched.err;
  EXPECT_EQ(fetched.out, (folder.path() / "ml-100k").string() + "\n");
  EXPECT_NE(fetched.err.find("already here"), std::string::npos);
  EXPECT_EQ(segue({"data", "fetch", "-q", "ml-100k", "--root", folder.path().string()}).err, "");
}

TEST(Program, ItemsAreHeard) {
  const TempFolder folder;
  const std::string whole = (folder / "whole.wav").string(), part = (folder / "part.wav").string();
  const auto render = [](const std::string& file, std::vector<std::string> more) {
    std::vector<std::string> command{"data",      "render", "demo",   "users=5", "artists=12",
                                     "tracks=20", "--item", "t00002", "-o",      file};
    command.insert(command.end(), more.begin(), more.end());
    return segue(command);
  };
  const Outcome outcome = render(whole, {"--seconds", "20", "--sample-rate", "8000"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, whole + "\n");
  EXPECT_EQ(render(part, {"--from", "5", "--seconds", "4", "--sample-rate", "8000"}).exit_code, 0);
  const auto samples = [](const std::string& path) {  // 16 bits each, behind a header of 44 bytes
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {}).substr(44);
  };
  ASSERT_EQ(samples(whole).size(), 2u * 20 * 8000);
  EXPECT_EQ(samples(part), samples(whole).substr(2 * 5 * 8000, 2 * 4 * 8000));
  EXPECT_NE(render(whole, {"--from", "5000"}).err.find("ends before second 5000"), std::string::npos);
}

TEST(Program, ListingsComeInEveryFormat) {
  for (const std::string listing : {"algo", "metric", "data"}) {
    const Json json = Json::parse(segue({listing, "list", "--format", "json"}).out);
    ASSERT_TRUE(json.is_array());
    ASSERT_FALSE(json.empty());
    const std::string csv = segue({listing, "list", "--format", "csv"}).out;
    EXPECT_EQ(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')), json.size() + 1) << csv;
    EXPECT_TRUE(segue({listing, "list", "--format", "md"}).out.starts_with("| "));
    EXPECT_TRUE(segue({listing, "list", "--format", "latex"}).out.find("\\begin{tabular}{") != std::string::npos);
    const std::string html = segue({listing, "list", "--format", "html"}).out;
    EXPECT_TRUE(html.starts_with("<table>\n"));
    EXPECT_TRUE(html.ends_with("</table>\n"));
  }
}

TEST(Program, NoColourWhereNoTerminalIs) {
  EXPECT_EQ(segue({"algo", "list"}).out.find('\033'), std::string::npos);
  EXPECT_EQ(segue({"nope"}).err.find('\033'), std::string::npos);
}

TEST(Program, DoctorGivesAVerdictALine) {
  const Outcome outcome = segue({"doctor", "--format", "json"});
  EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 4) << outcome.err;
  const Json checks = Json::parse(outcome.out);
  const bool failed = std::any_of(checks.begin(), checks.end(), [](const Json& c) { return c["verdict"] == "fail"; });
  EXPECT_EQ(outcome.exit_code == 4, failed);
  for (const Json& check : checks) {
    if (check["verdict"] == "warn" || check["verdict"] == "fail") {
      EXPECT_NE(check["remedy"], "") << check;
    }
  }
}

TEST(Program, DoctorFailsWithoutGnuplotAndSaysWhatToDo) {
  const Outcome outcome = segue({"doctor"}, {{"PATH", "/nowhere"}});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_NE(outcome.out.find("fail     gnuplot"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("apt-get install gnuplot-nox"), std::string::npos) << outcome.out;
}

TEST(Program, BlasIsTheSameWhateverIsExported) {
  const auto core = [](const std::map<std::string, std::string>& environment) {
    return Json::parse(segue({"version", "--json"}, environment).out).at("blas_core").get<std::string>();
  };
  const std::map<std::string, std::string> exported{
      {"OPENBLAS_CORETYPE", "Nehalem"}, {"OPENBLAS_L2_SIZE", "512"}, {"OPENBLAS_NUM_THREADS", "8"}};
  auto marked = exported;
  marked["SEGUE_BLAS_FIXED"] = "1";  // as if the program had started itself again already
  if (core({}) == "none" || core({}) == "unknown" || core(marked) == core({}))
    GTEST_SKIP() << "no OpenBLAS with a choice of kernels here";
  EXPECT_EQ(core(exported), core({}));
}

TEST(Completion, ScriptsAreValid) {
  EXPECT_EQ(bash_accepts(segue({"completion", "bash"}).out), 0);
  const auto installed = [](const char* shell) {
    return std::system((std::string("command -v ") + shell + " > /dev/null").c_str()) == 0;
  };
  if (installed("zsh")) {
    EXPECT_EQ(bash_accepts(segue({"completion", "zsh"}).out, "zsh -n"), 0);
  }
  if (installed("fish")) {
    EXPECT_EQ(bash_accepts(segue({"completion", "fish"}).out, "fish -n"), 0);
  }
}

// What bash would offer after `words`, the last of which is being typed.
std::string offered(const std::vector<std::string>& words) {
  std::string script =
      segue({"completion", "bash"}).out + "\nsegue() { '" SEGUE_BINARY "' \"$@\"; }\nCOMP_WORDS=(segue";
  for (const std::string& word : words) script += " '" + word + "'";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n_segue\necho \"${COMPREPLY[*]}\" > \"$1\"\n";
  const TempFolder folder;
  const auto file = folder.write("script", script);
  const std::string command = "bash " + file.string() + " " + (folder / "reply").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream reply(folder / "reply");
  std::string line;
  std::getline(reply, line);
  return line;
}

TEST(Completion, OffersCommandsOptionsAndNames) {
  EXPECT_EQ(offered({"data", "f"}), "fetch");
  EXPECT_EQ(offered({"data", "info", "dem"}), "demo");
  EXPECT_EQ(offered({"algo", "show", "implicit_a"}), "implicit_als");
  EXPECT_EQ(offered({"data", "fetch", "--off"}), "--offline");
  EXPECT_EQ(offered({"metric", "show", "ndcg_e"}), "ndcg_exp");
  EXPECT_EQ(offered({"metric", "list", "--format", ""}), "table md csv json latex html");
  EXPECT_EQ(offered({"data", "fetch", "movielens-100k", "hetrec"}), "hetrec-lastfm-2k");
  EXPECT_EQ(offered({"evaluate", "--as", ""}), "trec recbole lenskit implicit");
  EXPECT_EQ(offered({"leaderboard", "--metrics", "recall_"}), "recall_min");
  EXPECT_EQ(offered({"compare", "--test", "w"}), "wilcoxon");
  EXPECT_EQ(offered({"leaderboard", "--no-i"}), "--no-inference");
}

}  // namespace
}  // namespace segue::test
