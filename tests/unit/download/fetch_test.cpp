#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "framework/base/log.hpp"
#include "tests/unit/download/fetch_fixture.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::HttpRequest;
using test::HttpResponse;
using test::HttpServer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Fetch : public test::FetchTest {};

TEST_F(Fetch, DownloadsVerifiesAndUnpacks) {
  std::set<FetchProgress::Stage> stages;
  options.progress = [&](const FetchProgress& p) {
    stages.insert(p.stage);
    if (p.stage != FetchProgress::Stage::kUnpacking) {
      EXPECT_EQ(p.total, archive.size());
      EXPECT_LE(p.done, p.total);
    }
  };
  const HttpServer server(good());
  const FetchResult result = run(server);
  EXPECT_EQ(result.folder, temp.path() / "tiny-set");
  EXPECT_FALSE(result.already_there);
  EXPECT_EQ(result.bytes_downloaded, archive.size());
  EXPECT_EQ(result.bytes_resumed_from, 0u);
  EXPECT_EQ(stages.size(), 3u);
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].path, "/sets/tiny.zip");
  expect_complete();
}

TEST_F(Fetch, WhatIsThereNeedsNoRequestAndForceReplacesIt) {
  const HttpServer server(good());
  run(server);
  const FetchResult again = run(server);
  EXPECT_TRUE(again.already_there);
  EXPECT_EQ(again.bytes_downloaded, 0u);
  EXPECT_EQ(server.requests().size(), 1u);
  options.offline = true;
  EXPECT_TRUE(run(server).already_there);
  options.offline = false;

  test::write_file(temp.path() / "tiny-set" / "u.data", "spoilt");
  test::write_file(temp.path() / "tiny-set" / "stranger", "");
  options.force = true;
  EXPECT_EQ(run(server).bytes_downloaded, archive.size());
  EXPECT_EQ(server.requests().size(), 2u);
  expect_complete();
}

TEST_F(Fetch, ResumesAnInterruptedDownloadInALaterCall) {
  const std::size_t cut = 100000;
  const HttpServer server([&](const HttpRequest& r) {
    HttpResponse response = HttpServer::serve(r, archive);
    if (r.range_begin() == 0) response.send_only = cut;
    return response;
  });
  options.retries = 0;
  EXPECT_THAT(error_of<EnvironmentError>([&] { run(server); }), HasSubstr("127.0.0.1"));
  EXPECT_THAT(temp.listing(), ElementsAre("tiny.zip.part"));
  EXPECT_EQ(fs::file_size(temp.path() / "tiny.zip.part"), cut);
  const FetchResult result = run(server);
  EXPECT_EQ(result.bytes_resumed_from, cut);
  EXPECT_EQ(result.bytes_downloaded, archive.size() - cut);
  EXPECT_EQ(server.requests()[1].headers.at("range"), fmt::format("bytes={}-", cut));
  expect_complete();
}

TEST_F(Fetch, RetriesWithinACallAndGetsOnlyTheRest) {
  const HttpServer server([&, n = 0](const HttpRequest& r) mutable {
    HttpResponse response = HttpServer::serve(r, archive);
    if (++n <= 2) response.send_only = 50000;
    if (n == 3) return HttpResponse{503, "", "busy"};
    return response;
  });
  const FetchResult result = run(server);
  EXPECT_EQ(result.bytes_downloaded, archive.size());
  EXPECT_EQ(result.bytes_resumed_from, 0u);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[1].range_begin(), 50000u);
  EXPECT_EQ(requests[3].range_begin(), 100000u);
  expect_complete();
}

TEST_F(Fetch, StartsOverWhereTheServerCannotResume) {
  struct Case {
    const char* what;
    HttpServer::Handler handler;
    std::size_t requests, downloaded;
  };
  const std::string& all = archive;
  const std::vector<Case> cases = {
      {"range ignored",
       [&](const HttpRequest&) {
         return HttpResponse{200, "", all};
       },
       1, all.size()},
      {"416",
       [&](const HttpRequest& r) {
         return r.range_begin() ? HttpResponse{416, "", "no"} : HttpResponse{200, "", all};
       },
       2, all.size()},
      {"another range",
       [&](const HttpRequest& r) {
         return r.range_begin() ? HttpResponse{206, "Content-Range: bytes 10-99/100\r\n", "nonsense"}
                                : HttpResponse{200, "", all};
       },
       2, all.size()},
  };
  for (const Case& c : cases) {
    options.force = false;
    fs::remove_all(temp.path() / "tiny-set");
    test::write_file(temp.path() / "tiny.zip.part", "stale bytes");
    const HttpServer server(c.handler);
    const FetchResult result = run(server);
    EXPECT_EQ(server.requests().size(), c.requests) << c.what;
    EXPECT_EQ(server.requests()[0].range_begin(), 11u) << c.what;
    EXPECT_EQ(result.bytes_downloaded, c.downloaded) << c.what;
    EXPECT_EQ(result.bytes_resumed_from, 0u) << c.what;
    expect_complete();
  }
}

TEST_F(Fetch, NeverResumesWhatItCouldNotVerify) {
  source.md5 = source.sha256 = "";
  source.bytes = 0;
  test::write_file(temp.path() / "tiny.zip.part", archive.substr(0, 1000));
  const HttpServer server(good());
  EXPECT_EQ(run(server).bytes_downloaded, archive.size());
  EXPECT_EQ(server.requests()[0].headers.count("range"), 0u);
  expect_complete();
}

TEST_F(Fetch, TakesAPartThatWasAlreadyWhole) {
  test::write_file(temp.path() / "tiny.zip.part", archive);
  const HttpServer server(good());
  const FetchResult result = run(server);
  EXPECT_EQ(server.requests().size(), 0u);
  EXPECT_EQ(result.bytes_resumed_from, archive.size());
  EXPECT_EQ(result.bytes_downloaded, 0u);
  expect_complete();
}

TEST_F(Fetch, FollowsRedirectsButNotForEver) {
  const HttpServer server([&](const HttpRequest& r) {
    if (r.path == "/new/tiny.zip") return HttpServer::serve(r, archive);
    const std::string to = r.path == "/loop/tiny.zip" ? "/loop/tiny.zip" : "/new/tiny.zip";
    return HttpResponse{302, "Location: " + to + "\r\n", "moved"};
  });
  source.url = server.url("/loop/tiny.zip");
  EXPECT_THAT(error_of<EnvironmentError>([&] { fetch(source, options); }), HasSubstr("redirects"));
  test::write_file(temp.path() / "tiny.zip.part", archive.substr(0, 1000));
  EXPECT_EQ(run(server).bytes_downloaded, archive.size() - 1000) << "a redirect keeps the range";
  expect_complete();
}

TEST_F(Fetch, AMirrorReplacesSchemeAndHost) {
  const HttpServer server(good());
  options.mirror = server.url("/copies/");
  fetch(source, options);
  EXPECT_EQ(server.requests().at(0).path, "/copies/sets/tiny.zip");
  expect_complete();
  fs::remove_all(temp.path() / "tiny-set");
  options.mirror.clear();
  ::setenv("SEGUE_DATA_MIRROR", server.url().c_str(), 1);
  fetch(source, options);
  ::unsetenv("SEGUE_DATA_MIRROR");
  EXPECT_EQ(server.requests().at(1).path, "/sets/tiny.zip");
}

TEST_F(Fetch, TakesAnArchivePlacedByHandAndKeepsIt) {
  options.offline = true;
  test::write_file(temp.path() / "tiny.zip", archive + "x");
  EXPECT_THAT(error_of<DataError>([&] { fetch(source, options); }),
              AllOf(HasSubstr((temp.path() / "tiny.zip").string()), HasSubstr("remove it")));
  EXPECT_THAT(temp.listing(), ElementsAre("tiny.zip"));
  test::write_file(temp.path() / "tiny.zip", archive);
  EXPECT_FALSE(fetch(source, options).already_there);
  EXPECT_THAT(temp.listing(), ElementsAre("tiny-set", "tiny-set/u.data", "tiny-set/u.item", "tiny.zip"));
}

TEST_F(Fetch, SweepsAwayWhatAKilledUnpackingLeft) {
  fs::create_directory(temp.path() / "tiny-set.part");
  test::write_file(temp.path() / "tiny-set.part" / "half", "");
  const HttpServer server(good());
  run(server);
  expect_complete();
}

TEST_F(Fetch, ConcurrentFetchesDownloadOnce) {
  set_log_level(LogLevel::kWarning);
  const HttpServer server([&](const HttpRequest& r) {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));  // so that all have begun before the first is done
    return HttpServer::serve(r, archive);
  });
  source.url = server.url("/sets/tiny.zip");
  std::atomic<int> already_there = 0, failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        already_there += fetch(source, options).already_there;
      } catch (...) {
        ++failed;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  set_log_level(LogLevel::kInfo);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(already_there, 3);
  EXPECT_EQ(server.requests().size(), 1u);
  expect_complete();
}

TEST_F(Fetch, AProgressThatThrowsCancelsAndKeepsThePart) {
  struct Cancelled {};
  const HttpServer server(good());
  options.progress = [](const FetchProgress& p) {
    if (p.done > 0) throw Cancelled();
  };
  EXPECT_THROW(run(server), Cancelled);
  EXPECT_THAT(temp.listing(), ElementsAre("tiny.zip.part"));
  options.progress = {};
  const FetchResult result = run(server);
  EXPECT_GT(result.bytes_resumed_from, 0u);
  EXPECT_EQ(result.bytes_resumed_from + result.bytes_downloaded, archive.size());
  expect_complete();
}

}  // namespace
}  // namespace segue
