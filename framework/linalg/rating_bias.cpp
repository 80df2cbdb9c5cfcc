#include "framework/linalg/rating_bias.hpp"

namespace segue {
namespace {

constexpr std::size_t kRowBlock = 256;

template <class Index>
double rating(const Csr<Index>& ratings, std::size_t row, std::size_t position) {
  return ratings.has_values() ? double{ratings.values(row)[position]} : 1.0;
}

// bias[r] = sum over the row of (rating - mean - other) / (reg + entries): the minimiser while the others stand still.
template <class Index>
void solve(const Csr<Index>& ratings, double mean, const std::vector<double>& other, double reg,
           std::vector<double>& bias, const Executor& exec) {
  exec.for_blocks(ratings.rows(), kRowBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      const auto columns = ratings.indices(r);
      double sum = 0;
      for (std::size_t p = 0; p < columns.size(); ++p) {
        sum += rating(ratings, r, p) - mean - other[static_cast<std::size_t>(columns[p])];
      }
      if (!columns.empty()) bias[r] = sum / (reg + double(columns.size()));
    }
  });
}

}  // namespace

double RatingBias::bias_of(std::span<const ItemIdx> items, std::span<const float> ratings, double reg_user) const {
  double sum = 0;
  for (std::size_t p = 0; p < items.size(); ++p) sum += double{ratings[p]} - mean - item_bias(items[p]);
  return items.empty() ? 0 : sum / (reg_user + double(items.size()));
}

RatingBias fit_rating_bias(const Csr<ItemIdx>& by_user, double reg_user, double reg_item, int sweeps,
                           const Executor& exec) {
  const Csr<UserIdx> by_item = by_user.transposed<UserIdx>();
  const double sum = exec.reduce_blocks(
      by_user.rows(), kRowBlock, 0.0,
      [&](std::size_t begin, std::size_t end) {
        double part = 0;
        for (std::size_t u = begin; u < end; ++u) {
          for (std::size_t p = 0; p < by_user.row_size(u); ++p) part += rating(by_user, u, p);
        }
        return part;
      },
      [](double a, double b) { return a + b; });
  RatingBias out;
  out.mean = by_user.nnz() == 0 ? 0 : sum / double(by_user.nnz());
  std::vector<double> user(by_user.rows(), 0), item(by_user.cols(), 0);
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    solve(by_item, out.mean, user, reg_item, item, exec);
    solve(by_user, out.mean, item, reg_user, user, exec);
  }
  out.user.assign(user.begin(), user.end());
  out.item.assign(item.begin(), item.end());
  return out;
}

}  // namespace segue
