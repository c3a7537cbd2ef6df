#include "weir/tests/transport/io/dns_answers.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string_view>

namespace weir::testing {
namespace {

constexpr size_t kHeaderSize = 12;
constexpr uint16_t kA = 1;
constexpr uint16_t kCname = 5;
constexpr uint16_t kAaaa = 28;

void AppendU16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

// "a.b" as labels: 1 a 1 b 0 (RFC 1035 section 3.1).
std::string Labels(std::string_view name) {
  std::string labels;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    labels += static_cast<char>(dot);
    labels += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return labels + '\0';
}

std::string NameOf(std::string_view labels) {
  std::string name;
  while (!labels.empty() && labels[0] != 0) {
    const size_t size = static_cast<unsigned char>(labels[0]);
    if (!name.empty()) name += '.';
    name += labels.substr(1, size);
    labels.remove_prefix(std::min(1 + size, labels.size()));
  }
  return name;
}

void AppendRecord(std::string& out, std::string_view name, uint16_t type, std::string_view data) {
  out += Labels(name);
  AppendU16(out, type);
  AppendU16(out, 1);  // IN
  AppendU16(out, 0);
  AppendU16(out, 60);  // TTL
  AppendU16(out, static_cast<unsigned>(data.size()));
  out += data;
}

std::string Raw(int family, const std::string& text) {
  char bytes[16];
  if (::inet_pton(family, text.c_str(), bytes) != 1) std::abort();
  return std::string(bytes, family == AF_INET ? 4 : 16);
}

}  // namespace

DnsAnswers::DnsAnswers(const std::string& host) {
  const transport::SocketAddress any = *transport::SocketAddress::FromHostAndPort(host, 0);
  fd_ = ::socket(any.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || ::bind(fd_, static_cast<const sockaddr*>(any.raw()), any.raw_length()) != 0) std::abort();
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) std::abort();
  address_ = transport::SocketAddress::FromRaw(&bound, size);
  thread_ = std::thread([this] { Serve(); });
}

DnsAnswers::~DnsAnswers() {
  // An empty datagram is the sign to stop.
  const int fd = ::socket(address_.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ::sendto(fd, nullptr, 0, 0, static_cast<const sockaddr*>(address_.raw()), address_.raw_length());
  ::close(fd);
  thread_.join();
  ::close(fd_);
}

void DnsAnswers::Serve() const {
  while (true) {
    char buffer[512];
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const ssize_t n = ::recvfrom(fd_, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (n <= 0) return;
    const std::string answer = AnswerTo(std::string(buffer, static_cast<size_t>(n)));
    ::sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&peer), size);
  }
}

std::string DnsAnswers::AnswerTo(const std::string& question) const {
  const std::string name = NameOf(std::string_view(question).substr(kHeaderSize));
  const size_t end = kHeaderSize + Labels(name).size();
  const unsigned type = static_cast<unsigned char>(question[end]) << 8 | static_cast<unsigned char>(question[end + 1]);
  const std::scoped_lock lock(mutex_);
  const auto it = records_.find(name);
  std::string body;
  unsigned count = 0;
  unsigned code = it == records_.end() ? 3 /* NXDOMAIN */ : 0;
  if (it != records_.end()) {
    const Records& records = it->second;
    if (records.fails) code = 2;  // SERVFAIL
    const std::string& owner = records.alias.empty() ? name : records.alias;
    if (!records.alias.empty()) {
      AppendRecord(body, name, kCname, Labels(records.alias));
      ++count;
    }
    for (const std::string& text : type == kA ? records.ipv4 : std::vector<std::string>()) {
      AppendRecord(body, owner, kA, Raw(AF_INET, text));
      ++count;
    }
    for (const std::string& text : type == kAaaa ? records.ipv6 : std::vector<std::string>()) {
      AppendRecord(body, owner, kAaaa, Raw(AF_INET6, text));
      ++count;
    }
    if (records.malformed) count += 7;
  }
  std::string answer = question.substr(0, 2);
  AppendU16(answer, 0x8180 | code);  // a response, recursion desired and available
  AppendU16(answer, 1);
  AppendU16(answer, count);
  AppendU16(answer, 0);
  AppendU16(answer, 0);
  return answer + question.substr(kHeaderSize, end + 4 - kHeaderSize) + body;
}

}  // namespace weir::testing
