// The official streaming cases: gRPC's interop-test-descriptions.md, which each of them follows to the byte.
#include <array>
#include <string>

#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingOutputCallRequest;

constexpr std::array<int, 4> kRequestBytes = {27182, 8, 1828, 45904};
constexpr std::array<int, 4> kResponseBytes = {31415, 9, 2653, 58979};

StreamingOutputCallRequest Exchange(int request_bytes, int response_bytes) {
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(response_bytes);
  *request.mutable_payload() = Zeros(request_bytes);
  return request;
}

// One response of `expected_bytes`, or a failure that says what came instead.
bool ExpectResponse(Trial& trial, OutputStream& stream, const std::string& what, int expected_bytes) {
  const auto response = stream.Read();
  if (!response.has_value()) {
    return trial.Fail(absl::StrCat(what, ": expected a response of ", expected_bytes,
                                   " bytes, got the end: ", stream.Finish().status.ToString()));
  }
  return trial.ExpectEqual(what + " size", expected_bytes, response->payload().body().size());
}

}  // namespace

void ClientStreaming(Trial& trial) {
  constexpr int kTotalBytes = 74922;
  auto stream = trial.client().StreamingInputCall(CallSetup());
  for (const int bytes : kRequestBytes) {
    StreamingInputCallRequest request;
    *request.mutable_payload() = Zeros(bytes);
    trial.Expect(absl::StrCat("StreamingInputCall accepts ", bytes, " bytes"), stream->Write(request));
  }
  stream->WritesDone();
  const auto response = stream->Read();
  trial.ExpectOk("StreamingInputCall", stream->Finish().status);
  if (!trial.Expect("StreamingInputCall answers", response.has_value())) return;
  trial.ExpectEqual("aggregated payload size", kTotalBytes, response->aggregated_payload_size());
}

void ServerStreaming(Trial& trial) {
  StreamingOutputCallRequest request;
  for (const int bytes : kResponseBytes) request.add_response_parameters()->set_size(bytes);
  auto stream = trial.client().StreamingOutputCall(request, CallSetup());
  for (const int bytes : kResponseBytes) {
    if (!ExpectResponse(trial, *stream, "StreamingOutputCall response", bytes)) return;
  }
  trial.Expect("StreamingOutputCall sends no fifth response", !stream->Read().has_value());
  trial.ExpectOk("StreamingOutputCall", stream->Finish().status);
}

void PingPong(Trial& trial) {
  auto stream = trial.client().FullDuplexCall(CallSetup());
  for (size_t i = 0; i < kRequestBytes.size(); ++i) {
    const std::string what = absl::StrCat("FullDuplexCall exchange ", i + 1);
    if (!trial.Expect(what + " accepts the request", stream->Write(Exchange(kRequestBytes[i], kResponseBytes[i]))))
      break;
    if (!ExpectResponse(trial, *stream, what, kResponseBytes[i])) return;
  }
  stream->WritesDone();
  trial.Expect("FullDuplexCall sends no fifth response", !stream->Read().has_value());
  trial.ExpectOk("FullDuplexCall", stream->Finish().status);
}

void EmptyStream(Trial& trial) {
  auto stream = trial.client().FullDuplexCall(CallSetup());
  stream->WritesDone();
  trial.Expect("FullDuplexCall sends no response", !stream->Read().has_value());
  trial.ExpectOk("FullDuplexCall", stream->Finish().status);
}

void CancelAfterBegin(Trial& trial) {
  auto stream = trial.client().StreamingInputCall(CallSetup());
  stream->Cancel();
  trial.ExpectCode("StreamingInputCall", absl::StatusCode::kCancelled, stream->Finish().status);
}

void CancelAfterFirstResponse(Trial& trial) {
  auto stream = trial.client().FullDuplexCall(CallSetup());
  trial.Expect("FullDuplexCall accepts the request", stream->Write(Exchange(27182, 31415)));
  if (!ExpectResponse(trial, *stream, "FullDuplexCall", 31415)) return;
  stream->Cancel();
  trial.Expect("FullDuplexCall gives nothing after Cancel", !stream->Read().has_value());
  trial.ExpectCode("FullDuplexCall", absl::StatusCode::kCancelled, stream->Finish().status);
}

void TimeoutOnSleepingServer(Trial& trial) {
  auto stream = trial.client().FullDuplexCall(CallSetup::Timeout(absl::Milliseconds(1)));
  StreamingOutputCallRequest request;
  *request.mutable_payload() = Zeros(27182);
  stream->Write(request);  // may come too late already
  trial.Expect("FullDuplexCall sends no response", !stream->Read().has_value());
  trial.ExpectCode("FullDuplexCall", absl::StatusCode::kDeadlineExceeded, stream->Finish().status);
}

}  // namespace weir::interop
