#include "weir/rpc/client/connected_fd.h"

#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "weir/transport/io/adopt_descriptor.h"
#include "weir/transport/io/tcp.h"

namespace weir {
namespace {

class FdSource final : public StreamSource {
 public:
  explicit FdSource(int fd) : fd_(fd) {}
  ~FdSource() override {
    if (fd_ >= 0) ::close(fd_);
  }

  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop& loop) override {
    if (used_) return absl::UnavailableError("the descriptor's connection has ended; make a channel with another one");
    if (absl::Status adopted = transport::AdoptConnected(fd_); !adopted.ok()) return adopted;
    used_ = true;
    return transport::MakeTcpStream(loop, std::exchange(fd_, -1));
  }

 private:
  int fd_;
  bool used_ = false;
};

}  // namespace

ChannelEndpoint ConnectedFd(int fd, ChannelCredentials credentials) {
  ChannelEndpoint endpoint;
  endpoint.name = absl::StrCat("fd:", fd);
  endpoint.authority = "localhost";
  endpoint.source = std::make_unique<FdSource>(fd);
  endpoint.credentials = std::move(credentials);
  return endpoint;
}

}  // namespace weir
