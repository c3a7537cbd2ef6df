// The official compression cases: gRPC's interop-test-descriptions.md. The compression is gzip, which every peer has.
#include <array>
#include <string>

#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;

constexpr int kResponseBytes = 314159;

SimpleRequest LargeRequest() {
  SimpleRequest request;
  request.set_response_size(kResponseBytes);
  *request.mutable_payload() = Zeros(271828);
  return request;
}

void ExpectLargeResponse(Trial& trial, const std::string& what, const Outcome<SimpleResponse>& got) {
  if (!trial.ExpectOk(what, got.status)) return;
  trial.ExpectEqual(what + " response payload size", kResponseBytes, got.reply.payload().body().size());
}

StreamingInputCallRequest Upload(int bytes, bool expect_compressed) {
  StreamingInputCallRequest request;
  *request.mutable_payload() = Zeros(bytes);
  request.mutable_expect_compressed()->set_value(expect_compressed);
  return request;
}

const char* Word(bool compressed) { return compressed ? "compressed" : "plain"; }

}  // namespace

void ClientCompressedUnary(Trial& trial) {
  SimpleRequest probe = LargeRequest();
  probe.mutable_expect_compressed()->set_value(true);
  trial.ExpectCode("probe that is not compressed", absl::StatusCode::kInvalidArgument,
                   trial.client().UnaryCall(probe).status);
  ClientCompressedUnaryNoProbe(trial);
}

void ClientCompressedUnaryNoProbe(Trial& trial) {
  SimpleRequest request = LargeRequest();
  request.mutable_expect_compressed()->set_value(true);
  ExpectLargeResponse(trial, "compressed UnaryCall", trial.client().UnaryCall(request, CallSetup::Gzip()));
  request.mutable_expect_compressed()->set_value(false);
  ExpectLargeResponse(trial, "plain UnaryCall", trial.client().UnaryCall(request));
}

void ServerCompressedUnary(Trial& trial) {
  for (const bool compressed : {true, false}) {
    SimpleRequest request = LargeRequest();
    request.mutable_response_compressed()->set_value(compressed);
    const Outcome<SimpleResponse> got = trial.client().UnaryCall(request);
    ExpectLargeResponse(trial, "UnaryCall", got);
    trial.ExpectEqual<std::string, std::string>("response", Word(compressed), Word(got.compressed));
  }
}

void ClientCompressedStreaming(Trial& trial) {
  auto probe = trial.client().StreamingInputCall(CallSetup::Gzip());
  probe->WriteUncompressed(Upload(27182, true));  // the call may have ended before the next operation
  probe->WritesDone();
  trial.Expect("the probe gets no response", !probe->Read().has_value());
  trial.ExpectCode("probe that is not compressed", absl::StatusCode::kInvalidArgument, probe->Finish().status);
  ClientCompressedStreamingNoProbe(trial);
}

void ClientCompressedStreamingNoProbe(Trial& trial) {
  auto stream = trial.client().StreamingInputCall(CallSetup::Gzip());
  trial.Expect("the compressed message is accepted", stream->Write(Upload(27182, true)));
  trial.Expect("the plain message is accepted", stream->WriteUncompressed(Upload(45904, false)));
  stream->WritesDone();
  const auto response = stream->Read();
  trial.ExpectOk("StreamingInputCall", stream->Finish().status);
  if (!trial.Expect("StreamingInputCall answers", response.has_value())) return;
  trial.ExpectEqual("aggregated payload size", 73086, response->aggregated_payload_size());
}

void ServerCompressedStreaming(Trial& trial) {
  struct Expected {
    int bytes;
    bool compressed;
  };
  constexpr std::array<Expected, 2> kExpected = {{{31415, true}, {92653, false}}};
  grpc::testing::StreamingOutputCallRequest request;
  for (const auto& [bytes, compressed] : kExpected) {
    auto* parameters = request.add_response_parameters();
    parameters->set_size(bytes);
    parameters->mutable_compressed()->set_value(compressed);
  }
  auto stream = trial.client().StreamingOutputCall(request, CallSetup());
  for (const auto& [bytes, compressed] : kExpected) {
    const auto response = stream->Read();
    if (!trial.Expect("StreamingOutputCall answers", response.has_value())) break;
    trial.ExpectEqual("response size", bytes, response->payload().body().size());
    trial.ExpectEqual<std::string, std::string>("response", Word(compressed), Word(stream->LastReadWasCompressed()));
  }
  trial.Expect("StreamingOutputCall sends no third response", !stream->Read().has_value());
  trial.ExpectOk("StreamingOutputCall", stream->Finish().status);
}

}  // namespace weir::interop
