#include "framework/download/fetch.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/download/checksum.hpp"
#include "framework/download/files.hpp"
#include "framework/download/http.hpp"
#include "framework/download/unpack.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

using Stage = FetchProgress::Stage;

struct Places {
  Places(const Source& source, const fs::path& root)
      : archive(root / source.archive()),
        archive_part(root / (source.archive() + ".part")),
        folder(root / source.folder),
        folder_part(root / (source.folder + ".part")),
        folder_old(root / (source.folder + ".old.part")),
        lock(root / fmt::format(".{}.lock", source.archive())) {}
  fs::path archive, archive_part, folder, folder_part, folder_old, lock;
};

std::string by_hand(const Source& source, const Places& at) {
  return fmt::format("download {} by any other means, put it at {} and run this again (that needs no network)",
                     source.url, at.archive.string());
}

// "https://host/path" with scheme and host replaced by the mirror.
std::string mirrored(const std::string& url, std::string mirror) {
  if (mirror.empty()) return url;
  if (!is_http_url(mirror))
    throw UsageError("the mirror '{}' must begin with http:// or https:// (--mirror or SEGUE_DATA_MIRROR)", mirror);
  while (mirror.ends_with('/')) mirror.pop_back();
  return mirror + url.substr(std::min(url.find('/', url.find("://") + 3), url.size()));
}

std::vector<std::string> missing_files(const Source& source, const fs::path& folder) {
  std::vector<std::string> missing;
  for (const std::string& file : source.required_files)
    if (std::error_code none; !fs::exists(folder / file, none)) missing.push_back(file);
  return missing;
}

// What is wrong with this archive, or empty.
std::string mismatch(const Source& source, const fs::path& archive, const FetchOptions& options) {
  const std::uint64_t size = fs::file_size(archive);
  if (source.bytes != 0 && size != source.bytes)
    return fmt::format("wrong size: expected {} bytes, got {}", source.bytes, size);
  if (source.md5.empty() && source.sha256.empty()) return {};
  const Checksums sums = file_checksums(archive, [&](std::uint64_t done) {
    if (options.progress) options.progress({Stage::kVerifying, done, size});
  });
  if (!source.sha256.empty() && sums.sha256 != source.sha256)
    return fmt::format("wrong checksum: expected sha256 {}, got {}", source.sha256, sums.sha256);
  if (!source.md5.empty() && sums.md5 != source.md5)
    return fmt::format("wrong checksum: expected md5 {}, got {}", source.md5, sums.md5);
  return {};
}

void download(const Source& source, const FetchOptions& options, const Places& at, FetchResult& result) {
  if (!is_http_url(source.url))
    throw UsageError("cannot download {} from '{}': the address must begin with http:// or https://", source.name,
                     source.url);
  Transfer transfer;
  const char* from_environment = std::getenv("SEGUE_DATA_MIRROR");
  transfer.url = mirrored(source.url, !options.mirror.empty() ? options.mirror
                                      : from_environment      ? from_environment
                                                              : "");
  transfer.part = at.archive_part;
  transfer.resume = !source.md5.empty() || !source.sha256.empty();
  transfer.retries = options.retries;
  transfer.backoff_seconds = options.backoff_seconds;
  transfer.stall_seconds = options.stall_seconds;
  transfer.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (options.progress) options.progress({Stage::kDownloading, done, total ? total : source.bytes});
  };
  std::error_code none;
  const std::uint64_t before = fs::is_regular_file(at.archive_part, none) ? fs::file_size(at.archive_part) : 0;
  if (options.force || !transfer.resume || (source.bytes != 0 && before > source.bytes)) {
    fs::remove(at.archive_part);
  } else if (source.bytes != 0 && before == source.bytes) {
    result.bytes_resumed_from = before;  // interrupted after its last byte
  }
  if (result.bytes_resumed_from == 0) {
    try {
      const TransferResult transferred = http_download(transfer);
      result.bytes_downloaded = transferred.received;
      result.bytes_resumed_from = transferred.resumed_from;
    } catch (const TransferError& error) {
      if (fs::exists(at.archive_part) && fs::file_size(at.archive_part) == 0) fs::remove(at.archive_part);
      throw EnvironmentError(
          "cannot download {}: {}; try a mirror (--mirror URL or SEGUE_DATA_MIRROR), or {}; what is on this machine "
          "already works with --offline",
          source.name, error.what(), by_hand(source, at));
    }
  }
  if (const std::string wrong = mismatch(source, at.archive_part, options); !wrong.empty()) {
    fs::remove(at.archive_part);
    throw DataError("{}: {} (from {}); the download was removed: try again, or another mirror", at.archive.string(),
                    wrong, without_credentials(transfer.url));
  }
  fs::rename(at.archive_part, at.archive);
}

void unpack(const Source& source, const FetchOptions& options, const Places& at) {
  fs::remove_all(at.folder_part);  // of a fetch that was killed
  if (fs::exists(at.folder)) fs::remove_all(at.folder_old);
  try {
    unpack_archive(at.archive, at.folder_part, [&](std::uint64_t done) {
      if (options.progress) options.progress({Stage::kUnpacking, done, 0});
    });
    if (const auto missing = missing_files(source, at.folder_part); !missing.empty())
      throw DataError("{}: the archive lacks {}", at.archive.string(), fmt::join(missing, ", "));
    sync_folder(at.folder_part);
  } catch (...) {
    std::error_code none;
    fs::remove_all(at.folder_part, none);
    throw;
  }
  if (fs::exists(at.folder)) fs::rename(at.folder, at.folder_old);
  fs::rename(at.folder_part, at.folder);
  sync_folder(at.folder.parent_path());
  fs::remove_all(at.folder_old);
}

FetchResult fetch_into(const Source& source, const FetchOptions& options, const fs::path& root) {
  const Places at(source, root);
  FetchResult result;
  result.folder = at.folder;
  result.already_there = !options.force && is_fetched(source, root);
  if (result.already_there) return result;
  if (options.offline && options.force) throw UsageError("--offline and --force exclude each other");
  if (options.offline && !fs::exists(at.archive)) {
    throw EnvironmentError(
        "{} is not there ({}) and --offline forbids fetching it; run 'segue data fetch {}' with a network, or {}",
        source.name, at.folder.string(), source.name, by_hand(source, at));
  }
  fs::create_directories(root);
  const FileLock lock(at.lock, source.name);
  result.already_there = !options.force && is_fetched(source, root);  // another process has been at work
  if (result.already_there) return result;
  if (!options.force && fs::exists(at.folder) && !fs::is_empty(at.folder)) {
    throw UsageError("{} is there but lacks {}; remove it, or replace it with --force", at.folder.string(),
                     fmt::join(missing_files(source, at.folder), ", "));
  }
  const bool placed_by_hand = !options.force && fs::exists(at.archive);
  if (placed_by_hand) {
    log_debug("taking {}", at.archive.string());
    if (const std::string wrong = mismatch(source, at.archive, options); !wrong.empty())
      throw DataError("{}: {}; remove it and fetch again", at.archive.string(), wrong);
    unpack(source, options, at);
    return result;
  }
  download(source, options, at, result);
  try {
    unpack(source, options, at);
  } catch (const DataError&) {
    fs::remove(at.archive);  // else the next fetch would take it for one placed by hand
    throw;
  }
  fs::remove(at.archive);
  return result;
}

}  // namespace

bool is_fetched(const Source& source, const fs::path& root) {
  std::error_code none;
  return fs::is_directory(root / source.folder, none) && missing_files(source, root / source.folder).empty();
}

FetchResult fetch(const Source& source, const FetchOptions& options) {
  try {
    return fetch_into(source, options, options.root.empty() ? default_data_root() : options.root);
  } catch (const fs::filesystem_error& error) {
    throw EnvironmentError("cannot fetch {}: {}", source.name, error.what());
  }
}

fs::path default_data_root() {
  const auto absolute = [](const char* variable) {
    const char* value = std::getenv(variable);
    return value && *value == '/' ? fs::path(value) : fs::path();
  };
  if (const fs::path cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache / "segue" / "data";
  if (const fs::path home = absolute("HOME"); !home.empty()) return home / ".cache" / "segue" / "data";
  throw EnvironmentError("no place for data sets: neither XDG_CACHE_HOME nor HOME is an absolute path");
}

}  // namespace segue
