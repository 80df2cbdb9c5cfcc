// The leak meter of a task, for people: what the split gives away, what nobody could have found, what the filter removed.
#pragma once

#include <string>
#include <vector>

#include "framework/report/evidence.hpp"
#include "framework/report/html.hpp"

namespace segue {

// "943 queries, 943 truth items, 2 never seen in training; 3.1 % of training is later than what is predicted"; empty where the task
// file is missing.
std::string leak_line(const TaskEvidence& evidence);

// Line by line, with what each means, for the report; empty where the task file is missing.
std::vector<ReportFact> leak_facts(const TaskEvidence& evidence);

}  // namespace segue
