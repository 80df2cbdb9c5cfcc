// Plain files with the errors a person needs: full disk, no permission. Internal to the module.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace segue {

// An open file; closed at the end of its life.
class FileHandle {
 public:
  // flags and mode as for open(2). EnvironmentError when it cannot be opened.
  FileHandle(const std::filesystem::path& path, int flags);
  ~FileHandle();
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;

  int fd() const { return fd_; }
  void write(const void* data, std::size_t size);  // all of it, or EnvironmentError
  void restart();                                  // empty again
  void sync();

 private:
  std::filesystem::path path_;
  int fd_;
};

// Makes the renames in this folder durable. Best effort: some file systems cannot.
void sync_folder(const std::filesystem::path& folder);

// Holds an exclusive lock between processes and threads (flock on a file, which is removed at the end). Waits for it.
class FileLock {
 public:
  // what: for the message while waiting, "movielens-100k".
  FileLock(const std::filesystem::path& path, const std::string& what);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace segue
