// Features: deadlines, cancellation, statuses and metadata as each side of the call sees them.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/interop/cases/case_table.h"
#include "tests/interop/cases/observe.h"

namespace weir::interop {
namespace {

void AddPairs(const Pairs& pairs, google::protobuf::RepeatedPtrField<Pair>* to) {
  for (const auto& [key, value] : pairs) {
    Pair* pair = to->Add();
    pair->set_key(key);
    pair->set_value(value);
  }
}

// Duplicate keys, every byte, no byte, a comma, inner spaces, and the size of a large cookie.
Pairs InterestingMetadata() {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  return {
      {"x-many", "first"},
      {"x-many", "second, with comma"},
      {"x-many", "third"},
      {"x-many-bin", every_byte},
      {"x-many-bin", std::string("\0", 1)},
      {"x-many-bin", "\xff\xfe"},
      {"x-punctuation", "a b!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~"},
      {"x-large", std::string(4000, 'm')},
      {"x-empty-bin", ""},
      {"x-digits_and.dots-1", "1"},
  };
}

void ExpectInteresting(Trial& trial, const std::string& what, const Pairs& got) {
  std::vector<std::string> keys;
  const Pairs expected = InterestingMetadata();
  for (const auto& entry : expected) {
    if (std::find(keys.begin(), keys.end(), entry.first) == keys.end()) keys.push_back(entry.first);
  }
  for (const std::string& key : keys) {
    std::vector<std::string> values;
    for (const auto& [name, value] : expected) {
      if (name == key) values.push_back(value);
    }
    trial.ExpectValues(what, key, values, got);
  }
}

InspectRequest InspectWith(absl::StatusCode code, const std::string& message) {
  InspectRequest request;
  request.set_code(static_cast<int>(code));
  request.set_message(message);
  return request;
}

// Opens a Hold and makes sure that its handler runs.
std::unique_ptr<HoldStream> OpenHold(Trial& trial, const std::string& call_id, const CallSetup& setup) {
  auto stream = trial.client().Hold(setup);
  Note note;
  note.set_call_id(call_id);
  trial.Expect("Hold accepts a note", stream->Write(note));
  trial.Expect("Hold echoes the note", stream->Read().has_value());
  return stream;
}

void ExpectHandlerCancelled(Trial& trial, const std::string& call_id) {
  const Observation seen = ObserveEnd(trial, call_id);
  trial.Expect("the handler has returned", seen.known() && !seen.running());
  trial.Expect("the handler saw the cancellation", seen.cancelled());
}

}  // namespace

void HalfDuplex(Trial& trial) {
  auto stream = trial.client().HalfDuplexCall(CallSetup());
  const std::vector<int> sizes = {31415, 9, 2653, 58979};
  for (const int bytes : sizes) {
    grpc::testing::StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(bytes);
    trial.Expect("HalfDuplexCall accepts a request", stream->Write(request));
  }
  stream->WritesDone();
  for (const int bytes : sizes) {
    const auto response = stream->Read();
    if (!trial.Expect("HalfDuplexCall answers", response.has_value())) break;
    trial.ExpectEqual("HalfDuplexCall response size", bytes, response->payload().body().size());
  }
  trial.Expect("HalfDuplexCall sends no fifth response", !stream->Read().has_value());
  trial.ExpectOk("HalfDuplexCall", stream->Finish().status);
}

void DeadlineSeenByServer(Trial& trial) {
  const auto with = trial.client().Inspect(InspectRequest(), CallSetup::Timeout(absl::Seconds(20)));
  if (trial.ExpectOk("Inspect with a deadline", with.status)) {
    const int64_t left_ms = with.reply.remaining_ms();
    trial.Expect(absl::StrCat("15000 < time left <= 20100 ms at the server, got ", left_ms),
                 left_ms > 15000 && left_ms <= 20100);
  }
  const auto without = trial.client().Inspect(InspectRequest(), CallSetup());
  if (trial.ExpectOk("Inspect without a deadline", without.status)) {
    trial.ExpectEqual("time left at the server", -1, without.reply.remaining_ms());
  }
}

void DeadlineCancelsHandler(Trial& trial) {
  const std::string call_id = NewCallId();
  auto stream = OpenHold(trial, call_id, CallSetup::Timeout(absl::Milliseconds(300)));
  trial.Expect("Hold gives nothing more", !stream->Read().has_value());
  trial.ExpectCode("Hold", absl::StatusCode::kDeadlineExceeded, stream->Finish().status);
  ExpectHandlerCancelled(trial, call_id);
}

void CancelSeenByHandler(Trial& trial) {
  const std::string call_id = NewCallId();
  auto stream = OpenHold(trial, call_id, CallSetup());
  stream->Cancel();
  trial.Expect("Hold gives nothing after Cancel", !stream->Read().has_value());
  trial.ExpectCode("Hold", absl::StatusCode::kCancelled, stream->Finish().status);
  ExpectHandlerCancelled(trial, call_id);
}

void AllStatusCodes(Trial& trial) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status expected(static_cast<absl::StatusCode>(code), absl::StrCat("this is code ", code));
    const auto got = trial.client().Inspect(InspectWith(expected.code(), std::string(expected.message())), CallSetup());
    trial.ExpectStatus(absl::StrCat("Inspect with code ", code), expected, got.status);
  }
}

void UnicodeStatus(Trial& trial) {
  const std::vector<std::string> messages = {
      "",
      "100% sure, %41 is no A, and % neither %zz",
      "Gr\u00fc\u00dfe aus \u6771\u4eac \U0001F608 \u05e9\u05dc\u05d5\u05dd",
      "control \x01\x1f\x7f and \ttab\r\nline",
      std::string(3000, '.') + "\u263a",
  };
  for (const std::string& message : messages) {
    const absl::Status expected = absl::FailedPreconditionError(message);
    const auto got = trial.client().Inspect(InspectWith(expected.code(), message), CallSetup());
    trial.ExpectStatus("Inspect", expected, got.status);
  }

  // gRPC lets spaces stand raw in grpc-message, HTTP says that those around a value do not belong to it (RFC 9110
  // section 5.5): they arrive if the sender encodes them or the receiver does not look.
  const std::string spaced = "  space around  ";
  const std::string stripped = "space around";
  const absl::Status got = trial.client().Inspect(InspectWith(absl::StatusCode::kAborted, spaced), CallSetup()).status;
  const absl::Status plain(got.code(), got.message());  // without why
  if (plain != absl::AbortedError(stripped)) trial.ExpectStatus("Inspect", absl::AbortedError(spaced), got);
}

void StatusWhileWriting(Trial& trial) {
  auto stream = trial.client().FullDuplexCall(CallSetup::Timeout(absl::Seconds(20)));
  grpc::testing::StreamingOutputCallRequest request;
  request.mutable_response_status()->set_code(static_cast<int>(absl::StatusCode::kNotFound));
  request.mutable_response_status()->set_message("stop writing");
  trial.Expect("FullDuplexCall accepts the first request", stream->Write(request));
  *request.mutable_payload() = Zeros(10'000);
  request.clear_response_status();
  constexpr int kMostWrites = 100'000;  // 1 GB: far more than any window
  int writes = 0;
  while (writes < kMostWrites && stream->Write(request)) ++writes;
  trial.Expect(absl::StrCat("a write fails after the end, got ", writes, " that did not"), writes < kMostWrites);
  trial.ExpectStatus("FullDuplexCall", absl::NotFoundError("stop writing"), stream->Finish().status);
}

void MetadataToServer(Trial& trial) {
  const auto got = trial.client().Inspect(InspectRequest(), CallSetup::Metadata(InterestingMetadata()));
  if (!trial.ExpectOk("Inspect", got.status)) return;
  Pairs seen;
  for (const Pair& pair : got.reply.metadata()) seen.emplace_back(pair.key(), pair.value());
  ExpectInteresting(trial, "metadata at the server", seen);
}

void MetadataToClient(Trial& trial) {
  InspectRequest request;
  AddPairs(InterestingMetadata(), request.mutable_initial());
  AddPairs(InterestingMetadata(), request.mutable_trailing());
  const auto got = trial.client().Inspect(request, CallSetup());
  if (!trial.ExpectOk("Inspect", got.status)) return;
  ExpectInteresting(trial, "initial metadata at the client", got.initial);
  ExpectInteresting(trial, "trailing metadata at the client", got.trailing);
}

void MetadataWithError(Trial& trial) {
  InspectRequest request = InspectWith(absl::StatusCode::kAborted, "with metadata");
  AddPairs(InterestingMetadata(), request.mutable_trailing());
  const auto got = trial.client().Inspect(request, CallSetup());
  trial.ExpectStatus("Inspect", absl::AbortedError("with metadata"), got.status);
  ExpectInteresting(trial, "trailing metadata at the client", got.trailing);
}

}  // namespace weir::interop
