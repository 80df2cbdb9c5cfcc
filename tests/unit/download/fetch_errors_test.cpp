#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/download/fetch_fixture.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::HttpRequest;
using test::HttpResponse;
using test::HttpServer;
using test::make_archive;
using test::TempFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FetchErrors : public test::FetchTest {};

TEST_F(FetchErrors, AWrongChecksumDeletesTheDownload) {
  const HttpServer server(good());
  const std::string sha = source.sha256, md5 = source.md5;
  source.sha256[0] = sha[0] == '0' ? '1' : '0';
  EXPECT_THAT(error_of<DataError>([&] { run(server); }),
              AllOf(HasSubstr("expected sha256 " + source.sha256), HasSubstr("got " + sha), HasSubstr("127.0.0.1")));
  EXPECT_THAT(temp.listing(), ElementsAre());
  source.sha256 = "";
  source.md5[0] = md5[0] == '0' ? '1' : '0';
  EXPECT_THAT(error_of<DataError>([&] { run(server); }),
              AllOf(HasSubstr("expected md5 " + source.md5), HasSubstr("got " + md5)));
  source.bytes += 1;
  EXPECT_THAT(error_of<DataError>([&] { run(server); }),
              AllOf(HasSubstr(fmt::format("expected {} bytes, got {}", source.bytes, archive.size()))));
  EXPECT_THAT(temp.listing(), ElementsAre());
}

TEST_F(FetchErrors, ReportsHttpStatusAndRemedy) {
  const HttpServer server([](const HttpRequest& r) {
    return HttpResponse{r.path == "/sets/tiny.zip" ? 404 : 500, "", "an error page"};
  });
  EXPECT_THAT(error_of<EnvironmentError>([&] { run(server); }),
              AllOf(HasSubstr("tiny"), HasSubstr("127.0.0.1"), HasSubstr("HTTP status 404"), HasSubstr("--mirror"),
                    HasSubstr("put it at " + (temp.path() / "tiny.zip").string()), HasSubstr("--offline")));
  EXPECT_EQ(server.requests().size(), 1u) << "404 is final";
  EXPECT_THAT(temp.listing(), ElementsAre());
  source.url = server.url("/other/tiny.zip");
  options.retries = 2;
  EXPECT_THAT(error_of<EnvironmentError>([&] { fetch(source, options); }),
              AllOf(HasSubstr("HTTP status 500"), HasSubstr("tried 3 times")));
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST_F(FetchErrors, RefusesOtherSchemes) {
  const TempFolder elsewhere;
  test::write_file(elsewhere.path() / "tiny.zip", archive);
  source.url = "file://" + (elsewhere.path() / "tiny.zip").string();
  EXPECT_THAT(error_of<UsageError>([&] { fetch(source, options); }), HasSubstr("http:// or https://"));
  source.url = "https://data.invalid/tiny.zip";
  options.mirror = "file://" + elsewhere.path().string();
  EXPECT_THAT(error_of<UsageError>([&] { fetch(source, options); }), HasSubstr("--mirror or SEGUE_DATA_MIRROR"));
  options.mirror.clear();
  const HttpServer server([&](const HttpRequest&) {
    return HttpResponse{302, "Location: file://" + (elsewhere.path() / "tiny.zip").string() + "\r\n", ""};
  });
  EXPECT_THAT(error_of<EnvironmentError>([&] { run(server); }), HasSubstr("file"));
}

TEST_F(FetchErrors, MessagesHideCredentials) {
  const HttpServer server([](const HttpRequest&) { return HttpResponse{403, "", ""}; });
  options.mirror = "http://me:secret@" + server.url().substr(std::string("http://").size());
  const std::string error = error_of<EnvironmentError>([&] { fetch(source, options); });
  EXPECT_THAT(error, HasSubstr("HTTP status 403"));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("secret")));
}

TEST_F(FetchErrors, OfflineSaysWhatIsMissingAndHowToGetIt) {
  const HttpServer server(good());
  options.offline = true;
  EXPECT_THAT(error_of<EnvironmentError>([&] { run(server); }),
              AllOf(HasSubstr("tiny"), HasSubstr("segue data fetch tiny"),
                    HasSubstr("/sets/tiny.zip by any other means"), HasSubstr((temp.path() / "tiny.zip").string())));
  options.force = true;
  EXPECT_THAT(error_of<UsageError>([&] { run(server); }), HasSubstr("--force"));
  EXPECT_EQ(server.requests().size(), 0u);
}

TEST_F(FetchErrors, AFolderInTheWayIsNotTouched) {
  const HttpServer server(good());
  fs::create_directory(temp.path() / "tiny-set");
  test::write_file(temp.path() / "tiny-set" / "u.item", "mine");
  EXPECT_THAT(error_of<UsageError>([&] { run(server); }), AllOf(HasSubstr("lacks u.data"), HasSubstr("--force")));
  EXPECT_EQ(server.requests().size(), 0u);
  EXPECT_EQ(test::read_file(temp.path() / "tiny-set" / "u.item"), "mine");
}

TEST_F(FetchErrors, ABadArchiveLeavesNothing) {
  source.md5 = source.sha256 = "";
  source.bytes = 0;
  std::string content;
  const HttpServer server([&](const HttpRequest& r) { return HttpServer::serve(r, content); });
  content = archive.substr(0, archive.size() / 2);
  EXPECT_THAT(error_of<DataError>([&] { run(server); }), HasSubstr("archive"));
  EXPECT_THAT(temp.listing(), ElementsAre());
  content = make_archive({{"tiny/u.data", "1"}, {"tiny/u.item", "2"}, {"../evil", "3"}});
  EXPECT_THAT(error_of<DataError>([&] { run(server); }), HasSubstr("unsafe entry '../evil'"));
  EXPECT_THAT(temp.listing(), ElementsAre());
  content = make_archive({{"tiny/u.data", "1"}});
  EXPECT_THAT(error_of<DataError>([&] { run(server); }), HasSubstr("lacks u.item"));
  EXPECT_THAT(temp.listing(), ElementsAre());
}

TEST_F(FetchErrors, AStalledServerIsGivenUp) {
  std::atomic<bool> stop = false;
  HttpServer server([&](const HttpRequest& r) {
    HttpResponse response = HttpServer::serve(r, archive);
    response.send_only = 0;  // curl judges by the mean of five seconds, so a first byte would make this slower
    response.before_cut = [&] {
      while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    };
    return response;
  });
  options.retries = 0;
  options.stall_seconds = 1;
  const std::string error = error_of<EnvironmentError>([&] { run(server); });
  stop = true;
  EXPECT_THAT(error, HasSubstr("too slow"));
  EXPECT_THAT(temp.listing(), ElementsAre());
}

TEST_F(FetchErrors, NobodyListening) {
  std::string url;
  {
    const HttpServer server(good());
    url = server.url("/sets/tiny.zip");
  }
  source.url = url;
  options.retries = 1;
  EXPECT_THAT(error_of<EnvironmentError>([&] { fetch(source, options); }),
              AllOf(HasSubstr("127.0.0.1"), HasSubstr("tried 2 times"), HasSubstr("--mirror")));
  EXPECT_THAT(temp.listing(), ElementsAre());
}

// /dev/full refuses every write as a full disk does.
TEST_F(FetchErrors, AFullDiskIsTheMachinesFault) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  fs::create_symlink("/dev/full", temp.path() / "tiny.zip.part");
  const HttpServer server(good());
  EXPECT_THAT(error_of<EnvironmentError>([&] { run(server); }),
              AllOf(HasSubstr("No space left on device"), HasSubstr("tiny.zip.part"), HasSubstr("make room")));
}

TEST_F(FetchErrors, ARootThatCannotBeMade) {
  test::write_file(temp.path() / "file", "");
  options.root = temp.path() / "file" / "data";
  const HttpServer server(good());
  EXPECT_THAT(error_of<EnvironmentError>([&] { run(server); }), HasSubstr((temp.path() / "file").string()));
}

}  // namespace
}  // namespace segue
