// The official unary cases: gRPC's interop-test-descriptions.md, which each of them follows to the byte.
#include <string>
#include <vector>

#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

constexpr int kLargeRequestBytes = 271828;
constexpr int kLargeResponseBytes = 314159;

SimpleRequest LargeRequest(int request_bytes = kLargeRequestBytes, int response_bytes = kLargeResponseBytes) {
  SimpleRequest request;
  request.set_response_size(response_bytes);
  *request.mutable_payload() = Zeros(request_bytes);
  return request;
}

void ExpectLargeResponse(Trial& trial, const std::string& what, const Outcome<SimpleResponse>& got) {
  if (!trial.ExpectOk(what, got.status)) return;
  trial.ExpectEqual(what + " response payload size", kLargeResponseBytes, got.reply.payload().body().size());
  trial.Expect(what + " response payload is zeros",
               got.reply.payload().body().find_first_not_of('\0') == std::string::npos);
}

}  // namespace

void EmptyUnary(Trial& trial) {
  const Outcome<grpc::testing::Empty> got = trial.client().EmptyCall(CallSetup());
  trial.ExpectOk("EmptyCall", got.status);
  trial.ExpectEqual("EmptyCall reply size", 0u, got.reply.ByteSizeLong());
}

// There is no cache here, and requests are POST: the answer must come and carry the server's cache-control.
void CacheableUnary(Trial& trial) {
  SimpleRequest request;
  request.mutable_payload()->set_body("1234567890");
  const CallSetup setup = CallSetup::Metadata({{"x-user-ip", "1.2.3.4"}});
  const Outcome<SimpleResponse> got = trial.client().CacheableUnaryCall(request, setup);
  if (!trial.ExpectOk("CacheableUnaryCall", got.status)) return;
  trial.Expect("the response has a payload", !got.reply.payload().body().empty());
  trial.ExpectValues("CacheableUnaryCall initial metadata", "cache-control", {"max-age=60, public"}, got.initial);
}

void LargeUnary(Trial& trial) { ExpectLargeResponse(trial, "UnaryCall", trial.client().UnaryCall(LargeRequest())); }

void StatusCodeAndMessage(Trial& trial) {
  const absl::Status expected = absl::UnknownError("test status message");

  SimpleRequest request;
  request.mutable_response_status()->set_code(static_cast<int>(expected.code()));
  request.mutable_response_status()->set_message(std::string(expected.message()));
  trial.ExpectStatus("UnaryCall", expected, trial.client().UnaryCall(request).status);

  auto stream = trial.client().FullDuplexCall(CallSetup());
  grpc::testing::StreamingOutputCallRequest duplex;
  *duplex.mutable_response_status() = request.response_status();
  trial.Expect("FullDuplexCall accepts the request", stream->Write(duplex));
  stream->WritesDone();
  trial.Expect("FullDuplexCall sends no message", !stream->Read().has_value());
  trial.ExpectStatus("FullDuplexCall", expected, stream->Finish().status);
}

void SpecialStatusMessage(Trial& trial) {
  const absl::Status expected =
      absl::UnknownError("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n");
  SimpleRequest request;
  request.mutable_response_status()->set_code(static_cast<int>(expected.code()));
  request.mutable_response_status()->set_message(std::string(expected.message()));
  trial.ExpectStatus("UnaryCall", expected, trial.client().UnaryCall(request).status);
}

void UnimplementedMethod(Trial& trial) {
  trial.ExpectCode("TestService/UnimplementedCall", absl::StatusCode::kUnimplemented,
                   trial.client().UnimplementedMethod().status);
}

void UnimplementedService(Trial& trial) {
  trial.ExpectCode("UnimplementedService/UnimplementedCall", absl::StatusCode::kUnimplemented,
                   trial.client().UnimplementedService().status);
}

void CustomMetadata(Trial& trial) {
  const std::string initial_key = "x-grpc-test-echo-initial";
  const std::string initial_value = "test_initial_metadata_value";
  const std::string trailing_key = "x-grpc-test-echo-trailing-bin";
  const std::string trailing_value = "\xab\xab\xab";
  const CallSetup setup = CallSetup::Metadata({{initial_key, initial_value}, {trailing_key, trailing_value}});

  const Outcome<SimpleResponse> unary = trial.client().UnaryCall(LargeRequest(), setup);
  ExpectLargeResponse(trial, "UnaryCall", unary);
  trial.ExpectValues("UnaryCall initial metadata", initial_key, {initial_value}, unary.initial);
  trial.ExpectValues("UnaryCall trailing metadata", trailing_key, {trailing_value}, unary.trailing);

  auto stream = trial.client().FullDuplexCall(setup);
  grpc::testing::StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(kLargeResponseBytes);
  *request.mutable_payload() = Zeros(kLargeRequestBytes);
  trial.Expect("FullDuplexCall accepts the request", stream->Write(request));
  stream->WritesDone();
  const auto response = stream->Read();
  if (trial.Expect("FullDuplexCall answers", response.has_value())) {
    trial.ExpectEqual("FullDuplexCall payload size", kLargeResponseBytes, response->payload().body().size());
  }
  trial.Expect("FullDuplexCall answers once", !stream->Read().has_value());
  const Ending ending = stream->Finish();
  trial.ExpectOk("FullDuplexCall", ending.status);
  trial.ExpectValues("FullDuplexCall initial metadata", initial_key, {initial_value}, ending.initial);
  trial.ExpectValues("FullDuplexCall trailing metadata", trailing_key, {trailing_value}, ending.trailing);
}

void PickFirstUnary(Trial& trial) {
  constexpr int kCalls = 20;
  std::string server_id;
  SimpleRequest request;
  request.set_response_size(1);
  *request.mutable_payload() = Zeros(1);
  request.set_fill_server_id(true);
  for (int i = 0; i < kCalls; ++i) {
    const Outcome<SimpleResponse> got = trial.client().UnaryCall(request);
    const std::string what = absl::StrCat("UnaryCall ", i + 1);
    if (!trial.ExpectOk(what, got.status)) return;
    if (!trial.Expect(what + " gives a server id", !got.reply.server_id().empty())) return;
    if (server_id.empty()) server_id = got.reply.server_id();
    trial.ExpectEqual(what + " server id", server_id, got.reply.server_id());
  }
}

void ConcurrentLargeUnary(Trial& trial) {
  const SimpleRequest request = LargeRequest();
  std::vector<std::unique_ptr<PendingCall<SimpleResponse>>> calls;
  for (int i = 0; i < trial.options().streams; ++i)
    calls.push_back(trial.client().StartUnaryCall(request, CallSetup()));
  for (size_t i = 0; i < calls.size(); ++i) {
    ExpectLargeResponse(trial, absl::StrCat("UnaryCall ", i + 1, " of ", calls.size()), calls[i]->Wait());
    calls[i].reset();
  }
}

void VeryLargeRequest(Trial& trial) {
  constexpr int kVeryLargeBytes = 4'000'000;  // below the 4 MiB that servers take
  ExpectLargeResponse(trial, "UnaryCall", trial.client().UnaryCall(LargeRequest(kVeryLargeBytes)));
}

}  // namespace weir::interop
