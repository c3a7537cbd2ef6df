#include "weir/rpc/in_process/in_process.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "weir/rpc/server/in_process_listener.h"

namespace weir {
namespace {

class InProcessSource final : public StreamSource {
 public:
  explicit InProcessSource(absl::StatusOr<InProcessListener> listener) : listener_(std::move(listener)) {}

  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop&) override {
    if (!listener_.ok()) return listener_.status();
    return listener_->Connect();
  }

 private:
  absl::StatusOr<InProcessListener> listener_;
};

}  // namespace

ChannelEndpoint InProcess(Server& server) {
  absl::StatusOr<InProcessListener> listener = server.ListenInProcess();
  ChannelEndpoint endpoint;
  endpoint.name = "in-process";
  endpoint.authority = "localhost";
  if (listener.ok()) {
    endpoint.loop = &listener->loop();
    endpoint.loops = listener->loops();
  }
  endpoint.source = std::make_unique<InProcessSource>(std::move(listener));
  return endpoint;
}

}  // namespace weir
