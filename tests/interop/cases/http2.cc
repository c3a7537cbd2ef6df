// The negative HTTP/2 cases, against tools/http2_server.py: gRPC's negative-http2-interop-test-descriptions.md.
//
// The server checks its half: streams and connections, pings, how many streams are open at a time. It answers with as
// many bytes as the request asks for.
#include <string>
#include <vector>

#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

constexpr int kResponseBytes = 314159;
constexpr absl::Duration kPatience = absl::Seconds(30);

SimpleRequest MakeRequest() {
  SimpleRequest request;
  request.set_response_size(kResponseBytes);
  *request.mutable_payload() = Zeros(271828);
  return request;
}

std::unique_ptr<PendingCall<SimpleResponse>> StartCall(Trial& trial) {
  return trial.client().StartUnaryCall(MakeRequest(), CallSetup::Timeout(kPatience));
}

void ExpectSuccess(Trial& trial, const std::string& what, PendingCall<SimpleResponse>& call) {
  const Outcome<SimpleResponse> got = call.Wait();
  if (!trial.ExpectOk(what, got.status)) return;
  trial.ExpectEqual(what + " response payload size", kResponseBytes, got.reply.payload().body().size());
}

// However it fails, but not by our deadline: the reset must end the call.
void ExpectReset(Trial& trial) {
  const absl::Status status = StartCall(trial)->Wait().status;
  trial.Expect(absl::StrCat("the call fails, got ", status.ToString()), !status.ok());
  trial.Expect(absl::StrCat("the call fails at once, got ", status.ToString()),
               status.code() != absl::StatusCode::kDeadlineExceeded);
}

}  // namespace

void Goaway(Trial& trial) {
  ExpectSuccess(trial, "first UnaryCall", *StartCall(trial));
  ExpectSuccess(trial, "second UnaryCall", *StartCall(trial));
}

void RstAfterHeader(Trial& trial) { ExpectReset(trial); }

void RstDuringData(Trial& trial) { ExpectReset(trial); }

void RstAfterData(Trial& trial) { ExpectReset(trial); }

void Ping(Trial& trial) { ExpectSuccess(trial, "UnaryCall", *StartCall(trial)); }

void MaxStreams(Trial& trial) {
  ExpectSuccess(trial, "first UnaryCall", *StartCall(trial));
  std::vector<std::unique_ptr<PendingCall<SimpleResponse>>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(StartCall(trial));
  for (size_t i = 0; i < calls.size(); ++i) {
    ExpectSuccess(trial, absl::StrCat("UnaryCall ", i + 1, " of 10"), *calls[i]);
  }
}

void DataFramePadding(Trial& trial) { ExpectSuccess(trial, "UnaryCall", *StartCall(trial)); }

void NoDataFramePaddingSanityTest(Trial& trial) { ExpectSuccess(trial, "UnaryCall", *StartCall(trial)); }

}  // namespace weir::interop
