// EchoService: the bench.Echo service, as a user would write it.
#pragma once

#include "tests/benchmark/bench.weir.pb.h"

namespace bench {

class EchoServiceImpl final : public EchoService {
 public:
  weir::Task<absl::StatusOr<Payload>> Unary(weir::ServerContext& context, const Payload& request) override;
  weir::Task<absl::Status> ServerStream(weir::ServerContext& context, const StreamRequest& request,
                                        weir::Writer<Payload>& writer) override;
  weir::Task<absl::StatusOr<Summary>> ClientStream(weir::ServerContext& context,
                                                   weir::Reader<Payload>& reader) override;
  weir::Task<absl::Status> BidiEcho(weir::ServerContext& context, weir::Reader<Payload>& reader,
                                    weir::Writer<Payload>& writer) override;
};

}  // namespace bench
