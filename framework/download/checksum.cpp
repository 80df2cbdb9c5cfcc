#include "framework/download/checksum.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/download/files.hpp"

namespace segue {

namespace {

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), kind, nullptr) != 1)
      throw EnvironmentError("OpenSSL refuses {}; a FIPS policy may forbid it", EVP_MD_get0_name(kind));
  }
  void add(const void* data, std::size_t size) {
    SEGUE_CHECK(EVP_DigestUpdate(context_.get(), data, size) == 1, "EVP_DigestUpdate failed");
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    SEGUE_CHECK(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1, "EVP_DigestFinal_ex failed");
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

Checksums file_checksums(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& progress) {
  FileHandle file(path, O_RDONLY);
  Digest md5(EVP_md5()), sha256(EVP_sha256());
  Checksums sums;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw EnvironmentError("cannot read {}: {}", path.string(), std::strerror(errno));
    if (got == 0) break;
    md5.add(buffer.data(), static_cast<std::size_t>(got));
    sha256.add(buffer.data(), static_cast<std::size_t>(got));
    sums.bytes += static_cast<std::uint64_t>(got);
    if (progress) progress(sums.bytes);
  }
  sums.md5 = md5.hex();
  sums.sha256 = sha256.hex();
  return sums;
}

}  // namespace segue
