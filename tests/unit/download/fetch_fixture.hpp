// A tiny published data set, and a fresh data root to fetch it into.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/download/checksum.hpp"
#include "framework/download/fetch.hpp"
#include "tests/support/http_server.hpp"
#include "tests/unit/download/archives.hpp"

namespace segue::test {

// The message of the E that f throws.
template <class E>
std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "no error";
}

class FetchTest : public ::testing::Test {
 protected:
  FetchTest() {
    ::setenv("no_proxy", "*", 1);  // the test server is on this machine
    ::unsetenv("SEGUE_DATA_MIRROR");
    options.root = temp.path();
    options.backoff_seconds = 0.01;
    test::write_file(scratch.path() / "a", archive);
    const Checksums sums = file_checksums(scratch.path() / "a");
    source = {.name = "tiny",
              .folder = "tiny-set",
              .url = "https://data.invalid/sets/tiny.zip",
              .md5 = sums.md5,
              .sha256 = sums.sha256,
              .bytes = archive.size(),
              .licence = "none",
              .required_files = {"u.data", "u.item"}};
  }

  HttpServer::Handler good() {
    return [this](const HttpRequest& r) { return HttpServer::serve(r, archive); };
  }
  FetchResult run(const HttpServer& server) {
    source.url = server.url("/sets/tiny.zip");
    return fetch(source, options);
  }
  // The whole root after success: the data set and nothing else.
  void expect_complete() {
    EXPECT_THAT(temp.listing(), ::testing::ElementsAre("tiny-set", "tiny-set/u.data", "tiny-set/u.item"));
    EXPECT_EQ(test::read_file(temp.path() / "tiny-set" / "u.data"), body);
  }

  const std::string body = [] {
    std::string text;
    for (int i = 0; i < 40000; ++i) text += std::to_string(i * 7919 % 10007) + "\n";
    return text;
  }();
  const std::string archive = make_archive({{"tiny/", ""}, {"tiny/u.data", body}, {"tiny/u.item", "one|two\n"}});
  TempFolder temp, scratch;
  Source source;
  FetchOptions options;
};

}  // namespace segue::test
