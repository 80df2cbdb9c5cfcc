#include "framework/download/unpack.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "framework/base/errors.hpp"
#include "framework/download/files.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path), archive_(archive_read_new(), archive_read_free) {
    SEGUE_CHECK(archive_ != nullptr, "archive_read_new failed");
    // Named one by one: "all" would start external programs for rare formats, and the streaming zip reader would take
    // a file whose end is missing.
    archive_read_support_filter_gzip(get());
    archive_read_support_filter_bzip2(get());
    archive_read_support_filter_xz(get());
    archive_read_support_filter_zstd(get());
    archive_read_support_format_tar(get());
    archive_read_support_format_zip_seekable(get());
    if (archive_read_open_filename(get(), path.c_str(), 1 << 16) != ARCHIVE_OK)
      throw DataError("{}: not a complete zip or tar archive: {}", path.string(), error());
  }

  // The next entry, or null at the end.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(get(), &entry);
    if (code == ARCHIVE_EOF) return nullptr;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) damaged();
    return entry;
  }

  // 0 at the end of the entry.
  std::size_t read(std::vector<char>& buffer) {
    const la_ssize_t got = archive_read_data(get(), buffer.data(), buffer.size());
    if (got < 0) damaged();
    return static_cast<std::size_t>(got);
  }

 private:
  archive* get() const { return archive_.get(); }
  std::string error() const {
    const char* text = archive_error_string(get());
    return text ? text : "unknown reason";
  }
  [[noreturn]] void damaged() const { throw DataError("{}: damaged archive: {}", path_.string(), error()); }

  fs::path path_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;
};

// The components of an entry's path; what could leave the folder is refused here and nowhere else.
std::vector<std::string> safe_components(const fs::path& archive, archive_entry* entry) {
  const char* text = archive_entry_pathname_utf8(entry);
  if (!text) text = archive_entry_pathname(entry);
  if (!text || !*text) throw DataError("{}: an entry has no readable name", archive.string());
  const std::string_view name = text;
  const auto refuse = [&](std::string_view why) {
    throw DataError("{}: unsafe entry '{}': {}; nothing was kept", archive.string(), name, why);
  };
  if (name.front() == '/') refuse("its path is absolute");
  if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) || archive_entry_filetype(entry) == AE_IFLNK)
    refuse("it is a link");
  if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFDIR)
    refuse("it is neither a file nor a folder");
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part == "..") refuse("its path climbs out of the folder");
    if (!part.empty() && part != ".") parts.emplace_back(part);
    begin = end + 1;
  }
  return parts;
}

bool is_folder(archive_entry* entry) { return archive_entry_filetype(entry) == AE_IFDIR; }

// What macOS adds to archives is no part of a data set.
bool is_clutter(const std::vector<std::string>& parts) {
  return parts.empty() || parts.front() == "__MACOSX" || parts.back() == ".DS_Store";
}

// 1 where everything lies in one top-level folder, else 0. Also checks every entry before the first is written.
std::size_t components_to_strip(const fs::path& archive) {
  Reader reader(archive);
  std::string top;
  bool common = true, any = false;
  while (archive_entry* entry = reader.next()) {
    const auto parts = safe_components(archive, entry);
    if (is_clutter(parts)) continue;
    if (!any) top = parts.front();
    any = true;
    if (parts.front() != top || (parts.size() == 1 && !is_folder(entry))) common = false;
  }
  if (!any) throw DataError("{}: the archive is empty", archive.string());
  return common ? 1 : 0;
}

}  // namespace

void unpack_archive(const fs::path& archive, const fs::path& folder,
                    const std::function<void(std::uint64_t)>& progress) {
  const std::size_t strip = components_to_strip(archive);
  fs::create_directories(folder);
  Reader reader(archive);
  std::vector<char> buffer(1 << 18);
  std::uint64_t written = 0;
  while (archive_entry* entry = reader.next()) {
    const auto parts = safe_components(archive, entry);
    if (is_clutter(parts)) continue;
    fs::path target = folder;
    for (std::size_t i = strip; i < parts.size(); ++i) target /= parts[i];
    std::error_code failed;
    fs::create_directories(is_folder(entry) ? target : target.parent_path(), failed);
    if (failed && failed != std::errc::not_a_directory && failed != std::errc::file_exists)
      throw fs::filesystem_error("unpacking", target, failed);
    if (failed || (!is_folder(entry) && fs::exists(target)))
      throw DataError("{}: the entry '{}' comes twice", archive.string(), fs::relative(target, folder).string());
    if (is_folder(entry)) continue;
    FileHandle file(target, O_WRONLY | O_CREAT | O_EXCL);
    while (const std::size_t got = reader.read(buffer)) {
      file.write(buffer.data(), got);
      written += got;
      if (progress) progress(written);
    }
    file.sync();
  }
}

}  // namespace segue
