#include "weir/transport/io/listen_fds.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace weir::transport {
namespace {

constexpr int kFirstFd = 3;  // SD_LISTEN_FDS_START
constexpr int kFdsMax = 1024;

std::string_view Environment(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

std::optional<int> ParseNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

absl::Status Invalid(const char* name, const std::string& expected, std::string_view got) {
  return absl::InvalidArgumentError(std::string(name) + ": expected " + expected + ", got \"" + std::string(got) +
                                    "\"");
}

// "a:b" -> the one in front of the colon, which is cut off with it.
std::string TakeName(std::string_view* names) {
  const std::string_view name = names->substr(0, names->find(':'));
  names->remove_prefix(std::min(names->size(), name.size() + 1));
  return name.empty() ? "unknown" : std::string(name);
}

}  // namespace

absl::StatusOr<std::vector<ListenFd>> ListenFds() {
  std::vector<ListenFd> fds;
  const std::string_view pid = Environment("LISTEN_PID");
  const std::string_view count_text = Environment("LISTEN_FDS");
  if (pid.empty() || count_text.empty()) return fds;
  const std::optional<int> for_process = ParseNumber(pid);
  if (!for_process.has_value()) return Invalid("LISTEN_PID", "the number of a process", pid);
  if (*for_process != ::getpid()) return fds;
  const std::optional<int> count = ParseNumber(count_text);
  if (!count.has_value() || *count > kFdsMax) {
    return Invalid("LISTEN_FDS", "a number up to " + std::to_string(kFdsMax), count_text);
  }
  std::string_view names = Environment("LISTEN_FDNAMES");
  for (int fd = kFirstFd; fd < kFirstFd + *count; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // a number that is no descriptor is told when it is used
    fds.push_back(ListenFd{.fd = fd, .name = TakeName(&names)});
  }
  return fds;
}

}  // namespace weir::transport
