// grpc.testing.TestService on weir, as gRPC's interop-test-descriptions.md wants a server to be.
//
// UnimplementedCall stays as generated: UNIMPLEMENTED.
#pragma once

#include <string>

#include "grpc/testing/test.weir.pb.h"
#include "tests/interop/cases/load_report.h"

namespace weir::interop {

class TestServiceImpl final : public grpc::testing::TestServiceService {
 public:
  // `server_id`: what SimpleRequest.fill_server_id asks for; unique among servers. `load` belongs to the caller;
  // requests may set it.
  TestServiceImpl(std::string server_id, LoadReport& load) : server_id_(std::move(server_id)), load_(load) {}

  Task<absl::StatusOr<grpc::testing::Empty>> EmptyCall(ServerContext& context,
                                                       const grpc::testing::Empty& request) override;
  Task<absl::StatusOr<grpc::testing::SimpleResponse>> UnaryCall(ServerContext& context,
                                                                const grpc::testing::SimpleRequest& request) override;
  Task<absl::StatusOr<grpc::testing::SimpleResponse>> CacheableUnaryCall(
      ServerContext& context, const grpc::testing::SimpleRequest& request) override;
  Task<absl::StatusOr<grpc::testing::StreamingInputCallResponse>> StreamingInputCall(
      ServerContext& context, Reader<grpc::testing::StreamingInputCallRequest>& reader) override;
  Task<absl::Status> StreamingOutputCall(ServerContext& context,
                                         const grpc::testing::StreamingOutputCallRequest& request,
                                         Writer<grpc::testing::StreamingOutputCallResponse>& writer) override;
  Task<absl::Status> FullDuplexCall(ServerContext& context, Reader<grpc::testing::StreamingOutputCallRequest>& reader,
                                    Writer<grpc::testing::StreamingOutputCallResponse>& writer) override;
  Task<absl::Status> HalfDuplexCall(ServerContext& context, Reader<grpc::testing::StreamingOutputCallRequest>& reader,
                                    Writer<grpc::testing::StreamingOutputCallResponse>& writer) override;

 private:
  const std::string server_id_;
  LoadReport& load_;
};

}  // namespace weir::interop
