#include "framework/download/files.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"

namespace segue {

namespace {

[[noreturn]] void fail(const char* doing, const std::filesystem::path& path, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    std::error_code ignored;
    const auto space = std::filesystem::space(path.parent_path(), ignored);
    throw EnvironmentError("cannot {} {}: {} ({} free there); make room, or choose another data root", doing,
                           path.string(), std::strerror(error),
                           ignored ? std::string("unknown") : format_bytes(static_cast<double>(space.available)));
  }
  throw EnvironmentError("cannot {} {}: {}", doing, path.string(), std::strerror(error));
}

}  // namespace

FileHandle::FileHandle(const std::filesystem::path& path, int flags)
    : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail((flags & O_ACCMODE) == O_RDONLY ? "read" : "write", path_, errno);
}

FileHandle::~FileHandle() { ::close(fd_); }

void FileHandle::write(const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd_, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path_, errno);
    from += written;
    size -= static_cast<std::size_t>(written);
  }
}

void FileHandle::restart() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) fail("write", path_, errno);
}

void FileHandle::sync() {
  if (::fsync(fd_) != 0 && errno != EINVAL) fail("write", path_, errno);  // EINVAL: not a file that can be synced
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

FileLock::FileLock(const std::filesystem::path& path, const std::string& what) : path_(path) {
  bool told = false;
  for (;;) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) fail("write", path, errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK && !told) {
        log_info("another process is fetching {}; waiting for it", what);
        told = true;
      }
      while (::flock(fd_, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        log_warning("cannot lock {}: {}; two fetches at once would disturb each other", path.string(),
                    std::strerror(errno));
        return;
      }
    }
    // The one who held it may have removed the file meanwhile; then this lock is on a file that nobody else can see.
    struct stat mine {
    }, current{};
    if (::fstat(fd_, &mine) == 0 && ::stat(path.c_str(), &current) == 0 && mine.st_ino == current.st_ino &&
        mine.st_dev == current.st_dev)
      return;
    ::close(fd_);
  }
}

FileLock::~FileLock() {
  ::unlink(path_.c_str());  // before the lock goes, so that nobody can hold a removed file unknowingly
  ::close(fd_);
}

}  // namespace segue
