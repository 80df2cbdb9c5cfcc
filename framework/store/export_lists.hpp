// What is stored, in files that other programs read, under external ids. Files appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

enum class ExportForm { kTrec, kCsv, kTsv, kJsonl, kNpy };
inline constexpr const char* kExportForms = "trec|csv|tsv|jsonl|npy";
ExportForm parse_export_form(const std::string& text);  // UsageError for others
const char* extension(ExportForm form);                 // "csv"; "" for kTrec, whose files are .run and .qrels

// Lists of one trial with what they belong to. `view` has a row for each user of `fold`.
struct ExportedLists {
  const StoredTask& task;
  const StoredTaskFold& fold;
  const StoredView& view;
  std::string label;
};

// kTrec   "user Q0 item rank score label". Programs that read runs sort by score, and trec_eval before version 10 by
// its
//         float, so scores strictly decrease as floats: where one does not, the next smaller float is written, and so
//         the order is that of the list. Blanks, control characters and '%' in ids are written as %XX.
// kCsv    user,item,rank,score, quoted as in RFC 4180; kTsv: the same with tabs.
// kJsonl  one line a query: {"user", "items", "scores", "truth"}, and "gains" where some gain is not 1.
void export_lists(const std::filesystem::path& file, const ExportedLists& lists, ExportForm form);
// kNpy: <base>.items.npy (i32 [queries, k], rows of items.csv, -1 behind the end of a list), <base>.scores.npy (f32,
// -inf there), <base>.users.csv and <base>.items.csv (row,id). Returns the files.
std::vector<std::filesystem::path> export_lists_npy(const std::filesystem::path& base, const ExportedLists& lists);

// kTrec   "user 0 item gain". trec_eval reads whole numbers: gains that are fractions are multiplied by the power of
// ten
//         that is returned and rounded, to 1 at least. NDCG does not depend on the factor.
// kCsv, kTsv  user,item,gain as it is.
double export_qrels(const std::filesystem::path& file, const StoredTask& task, const StoredTaskFold& fold,
                    ExportForm form);

// kCsv, kTsv, kJsonl: user, item, prediction, rating.
void export_ratings(const std::filesystem::path& file, const StoredTask& task, const StoredRatings& ratings,
                    ExportForm form);

// kCsv, kTsv, kJsonl: whom the task asks and what competes for each user, where each has candidates of their own.
// UsageError where everybody has the whole catalogue, or where the lists came with the data set.
void export_candidates(const std::filesystem::path& file, const StoredTask& task, const StoredTaskFold& fold,
                       ExportForm form);

// row,id (and title, where there are titles).
void export_ids(const std::filesystem::path& file, const std::vector<std::string>& ids,
                const std::vector<std::string>& titles = {});

// NumPy's format 1.0, little-endian, in C order. values.size() is the product of the shape.
void write_npy(const std::filesystem::path& file, std::span<const float> values, const std::vector<std::size_t>& shape);
void write_npy(const std::filesystem::path& file, std::span<const std::int32_t> values,
               const std::vector<std::size_t>& shape);

}  // namespace segue
