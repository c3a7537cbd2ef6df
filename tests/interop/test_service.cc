#include "tests/interop/test_service.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/interop/sleep.h"

namespace weir::interop {
namespace {

using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

constexpr std::string_view kEchoInitial = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoTrailing = "x-grpc-test-echo-trailing-bin";

void EchoMetadata(ServerContext& context) {
  if (const auto value = context.metadata().Get(kEchoInitial)) context.AddInitialMetadata(kEchoInitial, *value);
  if (const auto value = context.metadata().Get(kEchoTrailing)) context.AddTrailingMetadata(kEchoTrailing, *value);
}

// OK if the request asks for no status.
absl::Status AskedStatus(const grpc::testing::EchoStatus& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.code()), status.message());
}

// A size comes from the client: whatever it is, it must not bring the server down.
absl::Status CheckSize(int bytes) {
  constexpr int kMostBytes = 64 * 1024 * 1024;
  if (bytes >= 0 && bytes <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("response size: expected 0 to ", kMostBytes, " bytes, got ", bytes));
}

// What the client says of its message must be so.
template <class Request>
absl::Status CheckCompressed(const ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed()) return absl::OkStatus();
  const bool expected = request.expect_compressed().value();
  const bool got = context.request_was_compressed();
  if (expected == got) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("compressed: expected ", expected, ", got ", got));
}

bool WantsCompression(const StreamingOutputCallRequest& request) {
  const auto& all = request.response_parameters();
  return std::any_of(all.begin(), all.end(), [](const auto& each) { return each.compressed().value(); });
}

// Sends the responses that one request asks for. The writer and the request belong to the handler that awaits this.
Task<absl::Status> WriteResponses(const StreamingOutputCallRequest& request,
                                  Writer<StreamingOutputCallResponse>& writer, LoadReport& load) {
  if (request.has_orca_oob_report()) load.Set(request.orca_oob_report());
  for (const grpc::testing::ResponseParameters& parameters : request.response_parameters()) {
    if (absl::Status size = CheckSize(parameters.size()); !size.ok()) co_return size;
    co_await SleepOnLoop(absl::Microseconds(parameters.interval_us()));
    StreamingOutputCallResponse response;
    response.mutable_payload()->set_body(std::string(static_cast<size_t>(parameters.size()), '\0'));
    WriteOptions options;
    if (!parameters.compressed().value()) options.Uncompressed();
    if (!co_await writer.Write(response, options)) co_return absl::CancelledError("the client is gone");
  }
  co_return AskedStatus(request.response_status());
}

}  // namespace

Task<absl::StatusOr<Empty>> TestServiceImpl::EmptyCall(ServerContext& context, const Empty&) {
  EchoMetadata(context);
  co_return Empty();
}

Task<absl::StatusOr<SimpleResponse>> TestServiceImpl::UnaryCall(ServerContext& context, const SimpleRequest& request) {
  EchoMetadata(context);
  if (absl::Status compressed = CheckCompressed(context, request); !compressed.ok()) co_return compressed;
  if (request.response_compressed().value()) context.SetCompression("gzip");
  if (request.has_orca_per_query_report()) {
    const auto report = ToLoadReport(request.orca_per_query_report());
    context.AddTrailingMetadata(kLoadTrailer, report.SerializeAsString());
  }
  if (absl::Status asked = AskedStatus(request.response_status()); !asked.ok()) co_return asked;
  if (absl::Status size = CheckSize(request.response_size()); !size.ok()) co_return size;
  SimpleResponse response;
  response.mutable_payload()->set_body(std::string(static_cast<size_t>(request.response_size()), '\0'));
  if (request.fill_server_id()) response.set_server_id(server_id_);
  co_return response;
}

Task<absl::StatusOr<SimpleResponse>> TestServiceImpl::CacheableUnaryCall(ServerContext& context, const SimpleRequest&) {
  context.AddInitialMetadata("cache-control", "max-age=60, public");
  SimpleResponse response;
  response.mutable_payload()->set_body(absl::StrCat(absl::GetCurrentTimeNanos()));
  co_return response;
}

Task<absl::StatusOr<StreamingInputCallResponse>> TestServiceImpl::StreamingInputCall(
    ServerContext& context, Reader<StreamingInputCallRequest>& reader) {
  size_t total_bytes = 0;
  while (std::optional<StreamingInputCallRequest> request = co_await reader.Read()) {
    if (absl::Status compressed = CheckCompressed(context, *request); !compressed.ok()) co_return compressed;
    total_bytes += request->payload().body().size();
  }
  StreamingInputCallResponse response;
  response.set_aggregated_payload_size(static_cast<int>(total_bytes));
  co_return response;
}

Task<absl::Status> TestServiceImpl::StreamingOutputCall(ServerContext& context,
                                                        const StreamingOutputCallRequest& request,
                                                        Writer<StreamingOutputCallResponse>& writer) {
  EchoMetadata(context);
  if (WantsCompression(request)) context.SetCompression("gzip");
  co_return co_await WriteResponses(request, writer, load_);
}

Task<absl::Status> TestServiceImpl::FullDuplexCall(ServerContext& context, Reader<StreamingOutputCallRequest>& reader,
                                                   Writer<StreamingOutputCallResponse>& writer) {
  EchoMetadata(context);
  while (std::optional<StreamingOutputCallRequest> request = co_await reader.Read()) {
    absl::Status written = co_await WriteResponses(*request, writer, load_);
    if (!written.ok()) co_return written;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> TestServiceImpl::HalfDuplexCall(ServerContext& context, Reader<StreamingOutputCallRequest>& reader,
                                                   Writer<StreamingOutputCallResponse>& writer) {
  EchoMetadata(context);
  std::vector<StreamingOutputCallRequest> requests;
  while (std::optional<StreamingOutputCallRequest> request = co_await reader.Read()) {
    requests.push_back(*std::move(request));
  }
  for (const StreamingOutputCallRequest& request : requests) {
    absl::Status written = co_await WriteResponses(request, writer, load_);
    if (!written.ok()) co_return written;
  }
  co_return absl::OkStatus();
}

}  // namespace weir::interop
