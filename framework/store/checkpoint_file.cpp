#include "framework/store/checkpoint_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
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

void append_seal(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string seal = seal_of(file, fs::file_size(path));
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
  const std::uint64_t size = fs::file_size(path);
  if (size < kSealSize) return false;
  const std::string seal = seal_of(file, size - kSealSize);
  std::string found(kSealSize, ' ');
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  return found == seal;
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
  append_seal(unsealed);
  std::error_code error;
  fs::rename(unsealed, path, error);
  if (error) throw EnvironmentError("cannot rename '{}': {}", unsealed.string(), error.message());
}

void read_checkpoint(const fs::path& path, const FitIdentity& identity, FitState& fit, TrialRecord& record) {
  const H5Reader file = open_checkpoint(path, identity);
  bool fits = file.attribute_int("/fit", "epochs") == fit.epochs && parts(file, "training") == fit.training.size();
  for (std::size_t n = 0; fits && n < fit.training.size(); ++n)
    fits = file.shape(part("training", n)) == std::vector{fit.training[n].size()};
  if (!fits) throw DataError("its state has another shape than the model's");

  const auto integer = [&](const char* name) { return static_cast<int>(file.attribute_int("/fit", name)); };
  fit.epoch = integer("epoch");
  fit.best_epoch = integer("best_epoch");
  fit.since_best = integer("since_best");
  fit.best = file.attribute_real("/fit", "best");
  fit.best_state.clear();
  for (std::size_t n = 0; n < parts(file, "best"); ++n) fit.best_state.push_back(file.array<float>(part("best", n)));
  for (std::size_t n = 0; n < fit.training.size(); ++n)
    std::ranges::copy(file.array<float>(part("training", n)), fit.training[n].begin());
  record.timing.fit_seconds = file.attribute_real("/fit", "seconds");
  record.timing.epoch_seconds = file.array<double>("/epoch_seconds");
  record.curve_epochs.clear();
  record.curve_values.clear();
  if (file.is_group("/curve")) {
    for (const std::string& series : file.children("/curve")) {
      record.curve_epochs[series] = file.array<double>("/curve/" + series + "/epochs");
      record.curve_values[series] = file.array<double>("/curve/" + series + "/values");
    }
  }
  if (const auto resumed = file.attribute_text("/fit", "resumed")) record.attributes["resumed"] = *resumed;
}

void remove_unfinished_checkpoints(const fs::path& path) {
  const std::string head = path.filename().string() + ".tmp-";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), ignored))
    if (entry.path().filename().string().starts_with(head)) fs::remove(entry.path(), ignored);
}

void remove_checkpoint(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
  remove_unfinished_checkpoints(path);
}

void sweep_checkpoints(const ResultsFolder& results) {
  std::error_code ignored;
  std::vector<fs::path> done;
  for (const auto& entry : fs::directory_iterator(results.checkpoints(), ignored))
    if (fs::exists(results.trial_file(entry.path().stem().string()))) done.push_back(entry.path());
  for (const fs::path& path : done) remove_checkpoint(path);
  fs::remove(results.checkpoints(), ignored);  // does nothing to a folder that is not empty
}

}  // namespace segue
