// A small HTTP/1.1 server on 127.0.0.1 that answers as a test wants, also wrongly. One thread a connection.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace segue::test {

struct HttpRequest {
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case

  // N of "Range: bytes=N-", or 0.
  std::size_t range_begin() const {
    const auto found = headers.find("range");
    return found == headers.end() ? 0 : std::stoul(found->second.substr(std::string("bytes=").size()));
  }
};

struct HttpResponse {
  int status = 200;
  std::string headers;  // whole lines, each ended by \r\n
  std::string body;
  std::size_t send_only = std::string::npos;  // bytes of the body after which the connection is cut
  std::function<void()> before_cut = {};      // called after those bytes, before the connection ends
};

class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
      throw std::runtime_error("the test server does not start");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& t : connections_) t.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(const std::string& path = "") const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // A handler that serves a file correctly, ranges included.
  static HttpResponse serve(const HttpRequest& request, const std::string& content) {
    const std::size_t begin = request.range_begin();
    if (begin == 0) return {200, "", content};
    if (begin >= content.size()) return {416, fmt::format("Content-Range: bytes */{}\r\n", content.size()), "no"};
    return {206, fmt::format("Content-Range: bytes {}-{}/{}\r\n", begin, content.size() - 1, content.size()),
            content.substr(begin)};
  }

 private:
  void accept_all() {
    for (;;) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      connections_.emplace_back([this, connection] {
        answer(connection);
        ::close(connection);
      });
    }
  }

  void answer(int connection) {
    std::string text;
    char buffer[4096];
    while (text.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) return;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    HttpRequest request;
    request.path = text.substr(4, text.find(' ', 4) - 4);  // after "GET "
    for (std::size_t at = text.find("\r\n") + 2; text.compare(at, 2, "\r\n") != 0;) {
      const std::size_t end = text.find("\r\n", at), colon = text.find(": ", at);
      std::string name = text.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = text.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const HttpResponse response = handler_(request);
    const std::string all =
        fmt::format("HTTP/1.1 {} Test\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}", response.status,
                    response.body.size(), response.headers, response.body.substr(0, response.send_only));
    for (std::size_t sent = 0; sent < all.size();) {
      const ssize_t n = ::send(connection, all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
    if (response.before_cut) response.before_cut();
  }

  Handler handler_;
  int listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::vector<std::thread> connections_;  // touched by the acceptor only, until it has ended
  std::thread acceptor_;
};

}  // namespace segue::test
