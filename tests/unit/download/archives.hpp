// Archives and folders for the download tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace segue::test {

namespace fs = std::filesystem;

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "segue-download-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }

  // Every file and folder in it, relative.
  std::set<std::string> listing() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(path_))
      names.insert(fs::relative(entry.path(), path_).string());
    return names;
  }

 private:
  fs::path path_;
};

struct Entry {
  std::string name;  // a folder when it ends in '/'
  std::string body;
  std::string symlink = {};
  std::string hardlink = {};
};

// The bytes of an archive: "zip" (stored, so that its size is known to be that of its files), or "tar.gz".
inline std::string make_archive(const std::vector<Entry>& entries, const std::string& kind = "zip") {
  const TempFolder temp;
  const fs::path path = temp.path() / "archive";
  archive* a = archive_write_new();
  if (kind == "zip") {
    archive_write_set_format_zip(a);
    archive_write_zip_set_compression_store(a);
  } else {
    archive_write_set_format_pax_restricted(a);
    archive_write_add_filter_gzip(a);
  }
  EXPECT_EQ(archive_write_open_filename(a, path.c_str()), ARCHIVE_OK) << archive_error_string(a);
  for (const Entry& entry : entries) {
    archive_entry* e = archive_entry_new();
    archive_entry_set_pathname(e, entry.name.c_str());
    archive_entry_set_perm(e, 0644);
    archive_entry_set_filetype(e, entry.name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_size(e, static_cast<la_int64_t>(entry.body.size()));
    if (!entry.symlink.empty()) {
      archive_entry_set_filetype(e, AE_IFLNK);
      archive_entry_set_symlink(e, entry.symlink.c_str());
    }
    if (!entry.hardlink.empty()) archive_entry_set_hardlink(e, entry.hardlink.c_str());
    EXPECT_EQ(archive_write_header(a, e), ARCHIVE_OK) << archive_error_string(a);
    archive_write_data(a, entry.body.data(), entry.body.size());
    archive_entry_free(e);
  }
  EXPECT_EQ(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
  return read_file(path);
}

}  // namespace segue::test
