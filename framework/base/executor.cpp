#include "framework/base/executor.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <mutex>
#include <set>
#include <thread>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

// The process-wide limit, without which an arena of 8 runs only as many threads as there are cores. Of several
// global_controls oneTBB takes the smallest, so there is one alone, for the largest Executor alive.
class Limit {
 public:
  static void add(int threads) {
    Limit& limit = instance();
    const std::lock_guard lock(limit.mutex_);
    limit.alive_.insert(threads);
    limit.update();
  }
  static void remove(int threads) {
    Limit& limit = instance();
    const std::lock_guard lock(limit.mutex_);
    limit.alive_.erase(limit.alive_.find(threads));
    limit.update();
  }

 private:
  static Limit& instance() {
    static auto* limit = new Limit;  // outlives every Executor, static ones too
    return *limit;
  }
  void update() {
    const int wanted = alive_.empty() ? 0 : *alive_.rbegin();
    if (wanted == current_) return;
    control_.reset();
    if (wanted > 0) control_ = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, std::size_t(wanted));
    current_ = wanted;
  }
  std::mutex mutex_;
  std::multiset<int> alive_;
  int current_ = 0;
  std::unique_ptr<tbb::global_control> control_;
};

}  // namespace

struct Executor::Impl {
  explicit Impl(int n) : threads(n), arena(n) { Limit::add(n); }
  ~Impl() { Limit::remove(threads); }
  int threads;
  mutable tbb::task_arena arena;
};

Executor::Executor(int threads) {
  if (threads < 0) throw UsageError("--threads must be 0 (all cores) or more, not {}", threads);
  if (threads == 0) threads = std::max(1, int(std::thread::hardware_concurrency()));
  impl_ = std::make_unique<Impl>(threads);
}

Executor::~Executor() = default;

int Executor::threads() const { return impl_->threads; }

void Executor::for_blocks(std::size_t n, std::size_t block,
                          const std::function<void(std::size_t, std::size_t)>& body) const {
  SEGUE_CHECK(block > 0, "for_blocks needs a block of at least one");
  if (n == 0) return;
  const std::size_t blocks = (n + block - 1) / block;
  const auto run = [&](std::size_t b) { body(b * block, std::min(n, (b + 1) * block)); };
  if (blocks == 1 || impl_->threads == 1) {
    for (std::size_t b = 0; b < blocks; ++b) run(b);
    return;
  }
  impl_->arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, blocks, 1),
        [&](const tbb::blocked_range<std::size_t>& r) { for (std::size_t b = r.begin(); b < r.end(); ++b) run(b); },
        tbb::simple_partitioner());
  });
}

}  // namespace segue
