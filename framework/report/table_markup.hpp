// A table as text that other programs set: the parts of render() (table.hpp) for documents.
#pragma once

#include <string>
#include <string_view>

#include "framework/report/table.hpp"

namespace segue {

std::string markdown_table(const Table& table);
std::string latex_table(const Table& table,
                        const std::string& caption);  // a booktabs tabular; the caption is a comment
// A <table> with <caption> (where there is one), <thead> and <tbody>; numbers carry their value as data-value, and what
// is emphasised strongly is <strong>. A row's name is a header cell.
std::string html_table(const Table& table, const std::string& caption);

// `text` as a value of CSV and JSON prints it: every digit of a number; empty where there is nothing.
std::string full_number(const Cell& cell);

std::string replace_all(std::string text, std::string_view what, std::string_view with);

}  // namespace segue
