#include "framework/store/checkpoint_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/h5/file.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

// HDF5 trusts what it reads, so a damaged file must not reach it: behind its end, where it does not look, stands the
// hash of every byte before.
constexpr std::string_view kSealHead = "\nSEGUE-SEAL ";
constexpr std::size_t kSealSize = kSealHead.size() + 32 + 1;

std::string seal_of(std::ifstream& file, std::uint64_t size) {
  Hasher hasher;
  std::vector<char> chunk(std::size_t{1} << 20);
  while (size > 0) {
    file.read(chunk.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(size, chunk.size())));
    if (file.gcount() == 0) break;
    hasher.bytes(chunk.data(), static_cast<std::size_t>(file.gcount()));
    size -= static_cast<std::uint64_t>(file.gcount());
  }
  return fmt::format("{}{}\n", kSealHead, hasher.hex());
}

std::uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) throw EnvironmentError("cannot read '{}': {}", path.string(), error.message());
  return size;
}

void append_seal(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string seal = seal_of(file, size_of(path));
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const bool ok =
      fd >= 0 && ::write(fd, seal.data(), seal.size()) == static_cast<ssize_t>(seal.size()) && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!ok) throw EnvironmentError("cannot write '{}': {}", path.string(), std::strerror(error));
}

bool is_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw EnvironmentError("cannot open '{}': {}", path.string(), std::strerror(errno));
  const std::uint64_t size = size_of(path);
  if (size < kSealSize) return false;
  const std::string seal = seal_of(file, size - kSealSize);
  std::string found(kSealSize, ' ');
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  return found == seal;
}

// Neither gone nor dead and waiting for somebody to ask after it, which under some containers takes for ever.
bool is_alive(int pid) {
  if (::kill(pid, 0) != 0 && errno == ESRCH) return false;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string stat;
  std::getline(file, stat);  // "1234 (name of the program) S 1 ..."
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos || (stat[name_end + 2] != 'Z' && stat[name_end + 2] != 'X');
}

// Of "f.h5.tmp-1234-unsealed" behind "f.h5.tmp-": whether process 1234 may still be writing to it. One with our own
// number that we find lying about is of an earlier process.
bool has_live_writer(std::string_view behind_head) {
  int pid = 0;
  std::from_chars(behind_head.data(), behind_head.data() + behind_head.size(), pid);
  return pid > 0 && pid != ::getpid() && is_alive(pid);
}

std::string part(const char* group, std::size_t n) { return fmt::format("/{}/{}", group, n); }

std::size_t parts(const H5Reader& file, const char* group) {
  const std::string path = std::string("/") + group;
  return file.is_group(path) ? file.children(path).size() : 0;
}

// DataError where the file is not whole, or belongs to another fit.
H5Reader open_checkpoint(const fs::path& path, const FitIdentity& identity) {
  if (!is_whole(path)) throw DataError("it is damaged, or no checkpoint of Segue");
  H5Reader file(path);
  const auto version = file.attribute_int("/", "segue_checkpoint");
  if (version != kCheckpointSchemaVersion)
    throw DataError("it has layout version {}, this program reads {}", version, kCheckpointSchemaVersion);
  for (const auto& [name, value] : identity)
    if (file.attribute_text("/identity", name) != value) throw DataError("it was written with another {}", name);
  return file;
}

}  // namespace

void write_checkpoint(const fs::path& path, const FitIdentity& identity, const FitState& fit,
                      const TrialRecord& record) {
  for (const auto& [series, epochs] : record.curve_epochs)
    SEGUE_CHECK(series.find('/') == std::string::npos, "a curve cannot be kept under the name '{}', for its '/'",
                series);
  const fs::path unsealed = path.string() + fmt::format(".tmp-{}-unsealed", ::getpid());
  {
    H5Writer file(unsealed, H5Packing::kNone);
    file.attribute("/", "segue_checkpoint", kCheckpointSchemaVersion);
    for (const auto& [name, value] : identity) file.attribute("/identity", name, value);
    file.attribute("/fit", "epoch", fit.epoch);
    file.attribute("/fit", "epochs", fit.epochs);
    file.attribute("/fit", "best_epoch", fit.best_epoch);
    file.attribute("/fit", "since_best", fit.since_best);
    file.attribute("/fit", "best", fit.best);
    file.attribute("/fit", "seconds", record.timing.fit_seconds);
    const auto resumed = record.attributes.find("resumed");
    if (resumed != record.attributes.end()) file.attribute("/fit", "resumed", resumed->second);
    file.array("/epoch_seconds", record.timing.epoch_seconds);
    for (const auto& [series, epochs] : record.curve_epochs) {
      file.array("/curve/" + series + "/epochs", epochs);
      file.array("/curve/" + series + "/values", record.curve_values.at(series));
    }
    for (std::size_t n = 0; n < fit.best_state.size(); ++n) file.array(part("best", n), fit.best_state[n]);
    for (std::size_t n = 0; n < fit.training.size(); ++n)
      file.array(part("training", n), std::span<const float>(fit.training[n]));
    file.commit();
  }
  try {
    append_seal(unsealed);
    std::error_code error;
    fs::rename(unsealed, path, error);
    if (error) throw EnvironmentError("cannot rename '{}': {}", unsealed.string(), error.message());
  } catch (...) {
    std::error_code ignored;
    fs::remove(unsealed, ignored);
    throw;
  }
}

void read_checkpoint(const fs::path& path, const FitIdentity& identity, FitState& fit, TrialRecord& record) {
  const H5Reader file = open_checkpoint(path, identity);
  bool fits = file.attribute_int("/fit", "epochs") == fit.epochs && parts(file, "training") == fit.training.size();
  for (std::size_t n = 0; fits && n < fit.training.size(); ++n)
    fits = file.shape(part("training", n)) == std::vector{fit.training[n].size()};
  if (!fits) throw DataError("its state has another shape than the model's");

  // All of it, before anything is changed.
  const auto integer = [&](const char* name) { return static_cast<int>(file.attribute_int("/fit", name)); };
  FitState read;
  read.epoch = integer("epoch");
  read.epochs = fit.epochs;
  read.best_epoch = integer("best_epoch");
  read.since_best = integer("since_best");
  read.best = file.attribute_real("/fit", "best");
  for (std::size_t n = 0; n < parts(file, "best"); ++n) read.best_state.push_back(file.array<float>(part("best", n)));
  std::vector<std::vector<float>> training;
  for (std::size_t n = 0; n < fit.training.size(); ++n) training.push_back(file.array<float>(part("training", n)));
  const double seconds = file.attribute_real("/fit", "seconds");
  std::vector<double> epoch_seconds = file.array<double>("/epoch_seconds");
  decltype(record.curve_epochs) curve_epochs, curve_values;
  if (file.is_group("/curve")) {
    for (const std::string& series : file.children("/curve")) {
      curve_epochs[series] = file.array<double>("/curve/" + series + "/epochs");
      curve_values[series] = file.array<double>("/curve/" + series + "/values");
    }
  }
  const std::optional<std::string> resumed = file.attribute_text("/fit", "resumed");

  for (std::size_t n = 0; n < training.size(); ++n) std::ranges::copy(training[n], fit.training[n].begin());
  read.training = std::move(fit.training);
  fit = std::move(read);
  record.timing.fit_seconds = seconds;
  record.timing.epoch_seconds = std::move(epoch_seconds);
  record.curve_epochs = std::move(curve_epochs);
  record.curve_values = std::move(curve_values);
  if (resumed) record.attributes["resumed"] = *resumed;
}

void remove_unfinished_checkpoints(const fs::path& path) {
  const std::string head = path.filename().string() + ".tmp-";
  std::error_code ignored;
  std::vector<fs::path> unfinished;
  for (fs::directory_iterator entry(path.parent_path(), ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(head) && !has_live_writer(std::string_view(name).substr(head.size())))
      unfinished.push_back(entry->path());
  }
  for (const fs::path& file : unfinished) fs::remove(file, ignored);
}

void remove_checkpoint(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
  remove_unfinished_checkpoints(path);
}

void sweep_checkpoints(const ResultsFolder& results) {
  std::error_code ignored;
  std::vector<fs::path> done;
  for (fs::directory_iterator entry(results.checkpoints(), ignored), end; entry != end; entry.increment(ignored))
    if (fs::exists(results.trial_file(entry->path().stem().string()), ignored)) done.push_back(entry->path());
  for (const fs::path& path : done) remove_checkpoint(path);
  fs::remove(results.checkpoints(), ignored);  // does nothing to a folder that is not empty
}

}  // namespace segue
