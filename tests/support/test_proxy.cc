#include "weir/tests/support/test_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_replace.h"

namespace weir::testing {
namespace {

void Must(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  abort();
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

TestProxy::TestProxy(int leads_to, std::string answer) : leads_to_(leads_to), answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in any = Loopback(0);
  Must(::bind(listener_, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0, "bind");
  Must(::listen(listener_, 16) == 0, "listen");
  Must(::pipe(stop_) == 0, "pipe");
  accepting_ = std::thread([this] { Accept(); });
}

TestProxy::~TestProxy() {
  ::close(stop_[1]);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
  ::close(stop_[0]);
}

std::string TestProxy::address() const {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

std::vector<std::string> TestProxy::asked() {
  std::lock_guard lock(mutex_);
  return asked_;
}

void TestProxy::Accept() {
  for (;;) {
    pollfd fds[2] = {{.fd = listener_, .events = POLLIN, .revents = 0},
                     {.fd = stop_[0], .events = POLLIN, .revents = 0}};
    ::poll(fds, 2, -1);
    if (fds[1].revents != 0) return;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) threads_.emplace_back([this, client] { Serve(client); });
  }
}

void TestProxy::Serve(int client) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    pollfd fds[2] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = stop_[0], .events = POLLIN, .revents = 0}};
    ::poll(fds, 2, -1);
    char byte = 0;
    if (fds[1].revents != 0 || ::recv(client, &byte, 1, 0) != 1) break;
    head += byte;
  }
  if (head.ends_with("\r\n\r\n")) {
    std::lock_guard lock(mutex_);
    asked_.push_back(absl::StrReplaceAll(head.substr(0, head.size() - 4), {{"\r\n", " | "}}));
  }
  SendAll(client, answer_);
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(leads_to_);
  const bool leads =
      leads_to_ != 0 && ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (leads || answer_.empty()) Join(client, server);
  ::close(server);
  ::close(client);
}

// Until one of them ends; if `b` is not connected, until `a` does.
void TestProxy::Join(int a, int b) {
  pollfd fds[3] = {{.fd = a, .events = POLLIN, .revents = 0},
                   {.fd = answer_.empty() ? -1 : b, .events = POLLIN, .revents = 0},
                   {.fd = stop_[0], .events = POLLIN, .revents = 0}};
  for (;;) {
    ::poll(fds, 3, -1);
    if (fds[2].revents != 0) return;
    for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 0)}) {
      if (fds[from].revents == 0) continue;
      char buffer[16 * 1024];
      const ssize_t count = ::recv(fds[from].fd, buffer, sizeof(buffer), 0);
      if (count <= 0) return;
      if (fds[to].fd >= 0 && !SendAll(fds[to].fd, std::string_view(buffer, static_cast<size_t>(count)))) return;
    }
  }
}

}  // namespace weir::testing
