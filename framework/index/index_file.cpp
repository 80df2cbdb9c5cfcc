#include "framework/index/index_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "framework/base/hash.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAlign = 64, kDigits = 32;
constexpr char kMagic[32] = "segue-index", kEnd[32] = "segue-index-end";

struct SectionHead {
  char name[48] = {};
  std::uint64_t bytes = 0;
  std::uint64_t zero = 0;
};
static_assert(sizeof(SectionHead) == kAlign);

constexpr std::size_t padded(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

std::string reason() { return std::strerror(errno); }

}  // namespace

struct IndexFileWriter::Impl {
  fs::path path, temporary;
  int file = -1;
  Hasher hash;
  std::size_t promised = 0;  // bytes of the section that are still to come
  std::size_t padding = 0;   // zeros after them

  [[noreturn]] void fail(const char* what) const {
    throw EnvironmentError("cannot {} '{}': {}", what, temporary.string(), reason());
  }
  void put(const void* data, std::size_t bytes) {
    hash.bytes(data, bytes);
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written = ::write(file, from, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail("write");
      from += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }
  void end_section() {
    SEGUE_CHECK(promised == 0, "a section of '{}' lacks {} bytes", path.string(), promised);
    static constexpr char kZeros[kAlign] = {};
    put(kZeros, std::exchange(padding, 0));
  }
};

IndexFileWriter::IndexFileWriter(const fs::path& path) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->temporary = path.string() + fmt::format(".tmp-{}", ::getpid());
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) throw EnvironmentError("cannot create folder '{}': {}", path.parent_path().string(), error.message());
  impl_->file = ::open(impl_->temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (impl_->file < 0) impl_->fail("create");
  char head[kAlign] = {};
  std::memcpy(head, kMagic, sizeof kMagic);
  std::memcpy(head + sizeof kMagic, &kIndexFileVersion, sizeof kIndexFileVersion);
  impl_->put(head, sizeof head);
}

IndexFileWriter::~IndexFileWriter() {
  if (impl_->file < 0) return;
  ::close(impl_->file);
  std::error_code ignored;
  fs::remove(impl_->temporary, ignored);
}

void IndexFileWriter::begin(const std::string& name, std::size_t bytes) {
  impl_->end_section();
  SectionHead head;
  SEGUE_CHECK(name.size() < sizeof head.name, "'{}' is too long a name of a section", name);
  std::memcpy(head.name, name.data(), name.size());
  head.bytes = bytes;
  impl_->put(&head, sizeof head);
  impl_->promised = bytes;
  impl_->padding = padded(bytes) - bytes;
}

void IndexFileWriter::write(const void* data, std::size_t bytes) {
  SEGUE_CHECK(bytes <= impl_->promised, "{} bytes for a section of '{}' that has room for {}", bytes,
              impl_->path.string(), impl_->promised);
  impl_->promised -= bytes;
  impl_->put(data, bytes);
}

void IndexFileWriter::commit() {
  impl_->end_section();
  const std::string digits = impl_->hash.hex();
  char end[kAlign] = {};
  std::memcpy(end, kEnd, sizeof kEnd);
  std::memcpy(end + kAlign - kDigits, digits.data(), kDigits);
  impl_->put(end, sizeof end);
  if (::fsync(impl_->file) != 0) impl_->fail("sync");
  if (::close(std::exchange(impl_->file, -1)) != 0) impl_->fail("close");
  std::error_code error;
  fs::rename(impl_->temporary, impl_->path, error);
  if (!error) return;
  std::error_code ignored;
  fs::remove(impl_->temporary, ignored);
  throw EnvironmentError("cannot rename '{}' to '{}': {}", impl_->temporary.string(), impl_->path.string(),
                         error.message());
}

IndexFileReader::IndexFileReader(const fs::path& path) : path_(path), file_(path) {
  const std::span<const std::byte> bytes = file_.bytes();
  const std::size_t size = bytes.size();
  if (size < kAlign) throw DataError("'{}' is not an index of Segue", path.string());
  if (std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0)
    throw DataError("'{}' is not an index of Segue", path.string());
  std::uint32_t version = 0;
  std::memcpy(&version, bytes.data() + sizeof kMagic, sizeof version);
  if (version != kIndexFileVersion)
    throw DataError("'{}' has version {} of the layout of an index, and this program reads {}: build it anew",
                    path.string(), version, kIndexFileVersion);
  if (size % kAlign != 0 || size < 2 * kAlign || std::memcmp(&bytes[size - kAlign], kEnd, sizeof kEnd) != 0)
    throw DataError("index '{}' is truncated: build it anew", path.string());
  const std::string digits = Hasher().bytes(bytes.data(), size - kAlign).hex();
  if (std::memcmp(&bytes[size - kDigits], digits.data(), kDigits) != 0)
    throw DataError("index '{}' is damaged, its checksum differs: build it anew", path.string());
  at_ = kAlign;
  end_ = size - kAlign;
}

void IndexFileReader::fail(const std::string& what) const {
  throw DataError("index '{}' is damaged at '{}': build it anew", path_.string(), what);
}

std::size_t IndexFileReader::next(const std::string& name, std::size_t& bytes) {
  SectionHead head;
  if (end_ - at_ < sizeof head) fail(name);
  std::memcpy(&head, &file_.bytes()[at_], sizeof head);
  if (head.name[sizeof head.name - 1] != '\0' || name != head.name) fail(name);
  const std::size_t from = at_ + sizeof head;
  if (head.bytes > end_ - from || padded(head.bytes) > end_ - from) fail(name);
  at_ = from + padded(head.bytes);
  bytes = head.bytes;
  return from;
}

}  // namespace segue
