// tests/golden/stats.txt: figures of scipy. Its head says what the lines are.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "framework/base/errors.hpp"

namespace segue::stats {

struct Golden {
  struct Line {
    std::vector<std::string> names;  // the words
    std::vector<double> numbers;     // what follows them
  };
  std::map<std::string, std::vector<Line>> lines;  // by first word
  std::map<std::string, std::vector<double>> samples;

  static const Golden& get() {
    static const Golden golden;
    return golden;
  }
  // A misspelt kind would otherwise test nothing.
  const std::vector<Line>& of(const std::string& kind) const {
    const auto found = lines.find(kind);
    SEGUE_CHECK(found != lines.end(), "no '{}' in the golden file", kind);
    return found->second;
  }

 private:
  Golden() {
    std::ifstream in(std::string(SEGUE_SOURCE_DIR) + "/tests/golden/stats.txt");
    for (std::string text; std::getline(in, text);) {
      if (text.starts_with('#')) continue;
      std::istringstream words(text);
      std::string kind;
      words >> kind;
      Line line;
      for (std::string word; words >> word;) {
        std::size_t used = 0;
        if (std::isalpha(static_cast<unsigned char>(word[0])) == 0)
          line.numbers.push_back(std::stod(word, &used));
        else
          line.names.push_back(word);
      }
      if (kind == "sample")
        samples[line.names.at(0)] = line.numbers;
      else
        lines[kind].push_back(line);
    }
  }
};

}  // namespace segue::stats
