// The only door to threads. Work is cut by size, never by the number of threads, and partial results are folded in
// block order, so the bits of a result do not depend on how many threads ran.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace segue {

class Executor {
 public:
  // threads = 0 takes what the machine offers. More threads than cores are really started, and an Executor keeps its
  // own number whatever others are alive.
  explicit Executor(int threads = 0);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int threads() const;

  // Calls body(begin, end) for [0, block), [block, 2 block), ... of [0, n). Each output element must have one owner.
  // An exception thrown by a body is rethrown here. May be nested.
  void for_blocks(std::size_t n, std::size_t block, const std::function<void(std::size_t, std::size_t)>& body) const;

  // Partial results of map(begin, end) per block, folded left to right: fold(fold(init, block 0), block 1) ...
  template <class T, class Map, class Fold>
  T reduce_blocks(std::size_t n, std::size_t block, T init, Map map, Fold fold) const {
    const std::size_t blocks = (n + block - 1) / block;
    std::vector<T> partial(blocks, init);
    for_blocks(n, block, [&](std::size_t begin, std::size_t end) { partial[begin / block] = map(begin, end); });
    for (T& p : partial) init = fold(std::move(init), p);
    return init;
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue
