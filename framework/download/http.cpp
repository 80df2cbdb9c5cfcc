#include "framework/download/http.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string_view>
#include <thread>

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/download/files.hpp"

namespace segue {

namespace {

void start_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw EnvironmentError("libcurl does not start: {}", curl_easy_strerror(code));
}

std::string url_part(const std::string& url, bool host_only) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return url;
  curl_url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
  char* text = nullptr;
  if (curl_url_get(parsed.get(), host_only ? CURLUPART_HOST : CURLUPART_URL, &text, 0) != CURLUE_OK) return url;
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  return text;
}

// One request. The callbacks run inside C code, so exceptions wait in `thrown` until it has returned.
struct Attempt {
  const Transfer& transfer;
  CURL* curl;
  FileHandle file;
  std::uint64_t from;  // the position where the body goes; 0 when the server starts over
  std::uint64_t received = 0;
  bool body_begun = false;
  bool accepted = false;     // the body is the file, not an error page
  bool wrong_range = false;  // 206, but not from where we asked
  std::exception_ptr thrown;

  long status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  void begin_body() {
    body_begun = true;
    const long code = status();
    accepted = code == 200 || code == 206;
    if (code == 200 && from > 0) {
      file.restart();
      from = 0;
    } else if (code == 206) {
      curl_header* range = nullptr;
      const std::string_view unit = "bytes ";
      const bool given = curl_easy_header(curl, "Content-Range", 0, CURLH_HEADER, -1, &range) == CURLHE_OK;
      const std::string_view value = given ? range->value : "";
      wrong_range = !value.starts_with(unit) || std::strtoull(range->value + unit.size(), nullptr, 10) != from;
    }
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    Attempt& a = *static_cast<Attempt*>(self);
    try {
      if (!a.body_begun) a.begin_body();
      if (a.wrong_range) return CURL_WRITEFUNC_ERROR;
      if (!a.accepted) return size;
      a.file.write(data, size);
      a.received += size;
    } catch (...) {
      a.thrown = std::current_exception();
      return CURL_WRITEFUNC_ERROR;
    }
    return size;
  }

  static int on_progress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
    Attempt& a = *static_cast<Attempt*>(self);
    if (!a.transfer.progress) return 0;
    try {
      const bool sized = a.accepted && total > 0;
      a.transfer.progress(a.from + a.received, sized ? a.from + static_cast<std::uint64_t>(total) : 0);
    } catch (...) {
      a.thrown = std::current_exception();
      return 1;
    }
    return 0;
  }
};

bool is_transient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

bool is_transient_status(long status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

void wait_before_retry(const Transfer& t, int failures, std::uint64_t done) {
  using std::chrono::duration;
  const double seconds = std::min(30.0, t.backoff_seconds * static_cast<double>(1u << std::min(failures - 1, 20)));
  const Stopwatch watch;
  while (watch.seconds() < seconds) {
    if (t.progress) t.progress(done, 0);  // so that a wait can be cancelled too
    std::this_thread::sleep_for(duration<double>(std::clamp(seconds - watch.seconds(), 0.0, 0.1)));
  }
}

std::uint64_t size_or_zero(const std::filesystem::path& path) {
  std::error_code none;
  const auto size = std::filesystem::is_regular_file(path, none) ? std::filesystem::file_size(path, none) : 0;
  return none ? 0 : size;
}

}  // namespace

bool is_http_url(const std::string& url) {
  const std::string scheme = url.substr(0, url.find("://"));
  const auto equal = [&](std::string_view wanted) {
    return std::equal(scheme.begin(), scheme.end(), wanted.begin(), wanted.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  };
  return scheme.size() < url.size() && (equal("http") || equal("https"));
}

std::string without_credentials(const std::string& url) { return url_part(url, false); }

TransferResult http_download(const Transfer& t) {
  if (!is_http_url(t.url))
    throw UsageError("cannot download from '{}': the address must begin with http:// or https://", t.url);
  start_curl();
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(), curl_easy_cleanup);
  CURL* curl = owner.get();
  SEGUE_CHECK(curl != nullptr, "curl_easy_init failed");
  const bool secure = t.url[4] == 's' || t.url[4] == 'S';
  std::array<char, CURL_ERROR_SIZE> reason{};
  curl_easy_setopt(curl, CURLOPT_URL, t.url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(t.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(t.stall_seconds));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // signals are not safe where other threads run
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "segue");
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Attempt::on_body);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, Attempt::on_progress);

  const std::string host = url_part(t.url, true);
  TransferResult result;
  result.resumed_from = t.resume ? size_or_zero(t.part) : 0;
  bool from_zero = !t.resume;
  for (int failures = 0;;) {
    const std::uint64_t from = from_zero ? 0 : size_or_zero(t.part);
    from_zero = !t.resume;
    Attempt attempt{t,     curl,  FileHandle(t.part, O_WRONLY | O_CREAT | (from > 0 ? O_APPEND : O_TRUNC)),
                    from,  0,     false,
                    false, false, nullptr};
    const std::string range = fmt::format("{}-", from);
    curl_easy_setopt(curl, CURLOPT_RANGE, from > 0 ? range.c_str() : nullptr);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
    reason[0] = '\0';
    const CURLcode code = curl_easy_perform(curl);
    if (attempt.thrown) std::rethrow_exception(attempt.thrown);
    const long status = attempt.status();
    if (code == CURLE_OK && !attempt.body_begun) attempt.begin_body();  // an empty body
    result.received += attempt.received;
    if (attempt.from == 0) result.resumed_from = 0;
    if (from > 0 && (attempt.wrong_range || status == 416)) {
      from_zero = true;
      continue;
    }
    if (code == CURLE_OK && attempt.accepted) return result;

    const bool transient = code == CURLE_OK ? is_transient_status(status) : is_transient(code);
    const std::string why =
        code == CURLE_OK
            ? fmt::format("{} answered with HTTP status {} for {}", host, status, without_credentials(t.url))
            : fmt::format("{}: {}", host, reason[0] ? reason.data() : curl_easy_strerror(code));
    if (!transient || failures >= t.retries)
      throw TransferError(failures == 0 ? why : fmt::format("{} (tried {} times)", why, failures + 1));
    ++failures;
    log_debug("{}; trying again", why);
    wait_before_retry(t, failures, size_or_zero(t.part));
  }
}

}  // namespace segue
