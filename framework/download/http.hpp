// One file over HTTP, resumed and retried. Internal to the module; the only door to libcurl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

namespace segue {

// The network or the server is at fault; the message names host and reason. The caller adds the remedy.
class TransferError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Transfer {
  std::string url;             // http or https, else UsageError; redirects are followed, never from https to http
  std::filesystem::path part;  // where the bytes go; what is there already is kept where resume allows
  bool resume = true;
  int retries = 3;
  double backoff_seconds = 1;
  int connect_seconds = 20;
  int stall_seconds = 60;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // may throw to cancel; total 0 = not known
};

struct TransferResult {
  std::uint64_t received = 0;      // bytes of content over the network, all attempts together
  std::uint64_t resumed_from = 0;  // bytes that were in `part` before and are part of the result
};

// Returns when the server has sent all that it announced. Throws TransferError; EnvironmentError when the disk is full.
TransferResult http_download(const Transfer& transfer);

bool is_http_url(const std::string& url);
std::string without_credentials(const std::string& url);  // for messages

}  // namespace segue
