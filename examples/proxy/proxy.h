// Proxy: a gRPC proxy that knows no message types. Serves every method by calling the same one of another server.
#pragma once

#include "absl/status/status.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/generic_client.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/generic_service.h"

namespace proxy {

// Each message is read when the one before it has been taken, in both directions: what a slow peer does not read stays
// with its sender (flow control), and the proxy holds one message each way.
// Its server must run handlers on loops (ServerOptions::worker_threads 0).
class Proxy final : public weir::GenericService {
 public:
  explicit Proxy(weir::Channel& upstream) : upstream_(upstream) {}

  weir::Task<absl::Status> Call(weir::ServerContext& context, weir::Reader<weir::Bytes>& reader,
                                weir::Writer<weir::Bytes>& writer) override;

 private:
  weir::GenericClient upstream_;
};

}  // namespace proxy
