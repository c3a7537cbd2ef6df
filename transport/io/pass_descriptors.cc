#include "weir/transport/io/pass_descriptors.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "weir/transport/io/system_error.h"

namespace weir::transport {
namespace {

// Descriptors travel with at least one byte.
constexpr char kByte = 'F';

using ControlBuffer = std::array<char, CMSG_SPACE(kPassedDescriptorsMax * sizeof(int))>;

void TakeDescriptors(const cmsghdr& control, std::vector<int>* descriptors) {
  if (control.cmsg_level != SOL_SOCKET || control.cmsg_type != SCM_RIGHTS) return;
  const size_t count = (control.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  const size_t before = descriptors->size();
  descriptors->resize(before + count);
  std::memcpy(descriptors->data() + before, CMSG_DATA(&control), count * sizeof(int));
}

}  // namespace

absl::Status SendDescriptors(int socket, std::span<const int> descriptors) {
  if (descriptors.empty() || descriptors.size() > kPassedDescriptorsMax) {
    return absl::InvalidArgumentError("pass descriptors: expected 1 to " + std::to_string(kPassedDescriptorsMax) +
                                      ", got " + std::to_string(descriptors.size()));
  }
  char byte = kByte;
  iovec payload{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) ControlBuffer buffer{};
  msghdr message{};
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  message.msg_control = buffer.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* const control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(control), descriptors.data(), descriptors.size_bytes());
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent == 1) return absl::OkStatus();
  return absl::UnavailableError("pass descriptors: sendmsg: " + SystemErrorText(errno));
}

absl::StatusOr<std::vector<int>> ReceiveDescriptors(int socket) {
  char byte = 0;
  iovec payload{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) ControlBuffer buffer{};
  msghdr message{};
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  message.msg_control = buffer.data();
  message.msg_controllen = buffer.size();
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return absl::UnavailableError("receive descriptors: recvmsg: " + SystemErrorText(errno));
  std::vector<int> descriptors;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    TakeDescriptors(*control, &descriptors);
  }
  if (!descriptors.empty()) return descriptors;
  return absl::UnavailableError(received == 0 ? "receive descriptors: the other side has closed without sending any"
                                              : "receive descriptors: expected some with the first byte, got none");
}

}  // namespace weir::transport
