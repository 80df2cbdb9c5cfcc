#include "framework/report/chart_data.hpp"

#include <gtest/gtest.h>

namespace segue {
namespace {

bool says(const plot::Figure& figure, const std::string& words) { return figure.note.find(words) != std::string::npos; }

// A board of any size, by hand: best first.
Leaderboard board_of(std::size_t rows) {
  Leaderboard board;
  board.task.metrics = {"hr@2"};
  for (std::size_t r = 0; r < rows; ++r) {
    LeaderboardRow row;
    row.label = fmt::format("row{}", r);
    row.status = "ok";
    row.trials = row.planned = 1;
    row.latency_p50 = 1 + static_cast<double>(r % 7);
    row.peak_rss_bytes = 1 << 20;
    MetricSummary s;
    s.mean = 1 - static_cast<double>(r) / static_cast<double>(rows);
    row.metrics["hr@2"] = s;
    board.rows.push_back(row);
  }
  return board;
}

TEST(ChartData, ShowsTheBestWhereRowsAreMany) {
  const Executor exec;
  const TaskEvidence evidence;
  for (const std::size_t rows : {30u, 3000u}) {
    const ChartData data{evidence, board_of(rows), "", "hr@2", plot::FigureSize::kColumn, exec};
    for (const auto& figures : {bars(data), latency_scatter(data), cost_scatter(data)}) {
      ASSERT_EQ(figures.size(), 1u);
      EXPECT_EQ(says(figures[0].figure, "The best 40 of 3000 rows."), rows > 40) << figures[0].figure.note;
    }
  }
}

}  // namespace
}  // namespace segue
