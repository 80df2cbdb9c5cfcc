#include "framework/text/tags.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/text/unicode.hpp"

namespace segue::text {

namespace {

// Words by rule 2, still in their case; an ampersand is one by itself.
std::vector<std::string> raw_words(std::string_view composed) {
  std::vector<std::string> words;
  const std::vector<Char> chars = characters(composed);
  bool open = false;                   // whether words.back() may grow
  CharKind before = CharKind::kSpace;  // of the last character that is no mark
  for (std::size_t i = 0; i < chars.size(); ++i) {
    const Char& c = chars[i];
    if (c.kind == CharKind::kSpace || (c.kind == CharKind::kMark && !open)) {
      open = false;
      before = CharKind::kSpace;
      continue;
    }
    if (c.bytes == "&") {
      words.emplace_back(c.bytes);
      open = false;
      before = CharKind::kSpace;
      continue;
    }
    if (c.kind == CharKind::kUpper && open) {
      std::size_t next = i + 1;
      while (next < chars.size() && chars[next].kind == CharKind::kMark) ++next;
      const bool lower_follows = next < chars.size() && chars[next].kind == CharKind::kLower;
      // "hipHop" before H; "DJMix" before M.
      if (before == CharKind::kLower || (before == CharKind::kUpper && lower_follows)) open = false;
    }
    if (!open) words.emplace_back();
    words.back() += c.bytes;
    open = true;
    if (c.kind != CharKind::kMark) before = c.kind;
  }
  return words;
}

bool ends_in_digit(std::string_view text) { return !text.empty() && characters(text).back().kind == CharKind::kDigit; }
bool begins_with_digit(std::string_view text) {
  return !text.empty() && characters(text).front().kind == CharKind::kDigit;
}

}  // namespace

std::string tag_key(std::string_view tag) {
  const std::string composed = compose(tag);
  std::vector<std::string> words = raw_words(composed);
  std::string key;
  for (std::size_t w = 0; w < words.size(); ++w) {
    std::string word = fold(words[w]);
    if (word == "&" || (word == "n" && w > 0 && w + 1 < words.size())) word = "and";
    if (ends_in_digit(key) && begins_with_digit(word)) key += ' ';
    key += word;
  }
  if (key == "rnb") return "randb";
  if (!key.empty()) return key;
  std::string folded = fold(composed);
  return folded == tag ? folded : tag_key(folded);  // folding can make a letter of an accent (U+0345)
}

TagTable merge_spellings(const StringTable& tags, std::span<const double> counts) {
  SEGUE_CHECK(tags.size() == counts.size(), "{} tags and {} counts", tags.size(), counts.size());
  TagTable out;
  std::map<std::string, std::vector<std::size_t>> spellings;  // by key
  for (std::size_t t = 0; t < tags.size(); ++t) {
    out.not_utf8 += to_utf8(tags[t]) != tags[t];
    spellings[tag_key(tags[t])].push_back(t);
  }
  std::vector<const std::vector<std::size_t>*> groups;
  for (const auto& [key, group] : spellings) groups.push_back(&group);
  std::sort(groups.begin(), groups.end(), [](const auto* a, const auto* b) { return a->front() < b->front(); });

  out.merged.resize(tags.size());
  std::vector<std::string> names;
  for (const auto* group : groups) {
    TagMerge merge;
    for (const std::size_t t : *group) {
      out.merged[t] = TermIdx{static_cast<std::uint32_t>(names.size())};
      merge.count += counts[t];
      merge.variants.push_back({to_utf8(tags[t]), counts[t]});
    }
    std::sort(merge.variants.begin(), merge.variants.end(), [](const TagVariant& a, const TagVariant& b) {
      return a.count != b.count ? a.count > b.count : a.spelling < b.spelling;
    });
    merge.name = merge.variants.front().spelling;
    names.push_back(merge.name);
    if (group->size() > 1) out.merges.push_back(std::move(merge));
  }
  std::sort(out.merges.begin(), out.merges.end(), [](const TagMerge& a, const TagMerge& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  out.names = StringTable(names);
  return out;
}

std::vector<double> column_sums(const Csr<TermIdx>& rows) {
  std::vector<double> out(rows.cols(), 0);
  for (std::size_t p = 0; p < rows.nnz(); ++p)
    out[static_cast<std::size_t>(rows.all_indices()[p])] +=
        rows.all_values().empty() ? 1.0 : double{rows.all_values()[p]};
  return out;
}

Csr<TermIdx> merge_columns(const Csr<TermIdx>& rows, const TagTable& table) {
  SEGUE_CHECK(table.merged.size() == rows.cols(), "a table of {} tags for {} columns", table.merged.size(),
              rows.cols());
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  std::vector<std::pair<TermIdx, double>> row;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    row.clear();
    for (std::size_t n = 0; n < rows.row_size(r); ++n)
      row.emplace_back(table.merged[static_cast<std::size_t>(rows.indices(r)[n])],
                       rows.has_values() ? double{rows.values(r)[n]} : 1.0);
    std::stable_sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t n = 0; n < row.size();) {
      const TermIdx term = row[n].first;
      double sum = 0;
      for (; n < row.size() && row[n].first == term; ++n) sum += row[n].second;
      terms.push_back(term);
      values.push_back(static_cast<float>(sum));
    }
    offsets.push_back(terms.size());
  }
  return {table.names.size(), std::move(offsets), std::move(terms), std::move(values)};
}

MergedTags merge_tags(const ItemTags& tags) {
  MergedTags out;
  out.table = merge_spellings(tags.tags, column_sums(tags.weights));
  out.tags.tags = out.table.names;
  out.tags.weights = merge_columns(tags.weights, out.table);
  return out;
}

}  // namespace segue::text
