#include "framework/base/mapped_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/base/errors.hpp"

namespace segue {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw EnvironmentError("cannot open {}: {}", path.string(), std::strerror(errno));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw EnvironmentError("cannot read {}: not a file", path.string());
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  void* base = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  const int error = errno;
  ::close(fd);
  if (size == 0) return;
  if (base == MAP_FAILED) throw EnvironmentError("cannot map {}: {}", path.string(), std::strerror(error));
  owner_ = std::shared_ptr<const void>(base, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  bytes_ = {static_cast<const std::byte*>(base), size};
}

void MappedFile::check(std::size_t at, std::size_t count, std::size_t size, std::size_t alignment) const {
  SEGUE_CHECK(at <= bytes_.size() && count <= (bytes_.size() - at) / size && at % alignment == 0,
              "{} values of {} bytes at byte {} of a file of {}", count, size, at, bytes_.size());
}

}  // namespace segue
