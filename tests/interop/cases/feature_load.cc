// Features: the message size limit to the byte, many open calls, back-pressure, and a server that drains.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/interop/cases/case_table.h"
#include "tests/interop/cases/observe.h"

namespace weir::interop {
namespace {

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;

// What gRPC libraries receive if nobody says otherwise; message without its envelope.
constexpr size_t kLimitBytes = 4 * 1024 * 1024;

// A message around a payload whose serialized size is exactly `bytes`.
template <class Message>
Message MessageOf(size_t bytes) {
  Message message;
  size_t body_bytes = bytes;
  do {
    --body_bytes;
    message.mutable_payload()->set_body(std::string(body_bytes, '\0'));
  } while (message.ByteSizeLong() > bytes);
  return message;
}

SimpleRequest AskFor(size_t response_bytes) {
  SimpleRequest request;
  request.set_response_size(static_cast<int>(MessageOf<SimpleResponse>(response_bytes).payload().body().size()));
  return request;
}

// Sends a note and expects its echo.
bool ExchangeNote(Trial& trial, HoldStream& stream, const std::string& what, const Note& note) {
  if (!stream.Write(note)) return trial.Fail(what + ": expected the note to be accepted, but the call has ended");
  const std::optional<Note> echo = stream.Read();
  if (!echo.has_value())
    return trial.Fail(what + ": expected an echo, got the end: " + stream.Finish().status.ToString());
  return trial.ExpectEqual(what + " echo", note.body(), echo->body());
}

Note MakeNote(const std::string& call_id, const std::string& body) {
  Note note;
  note.set_call_id(call_id);
  note.set_body(body);
  return note;
}

// The last exchange of a Hold, after which it must end well.
void EndHold(Trial& trial, HoldStream& stream, const std::string& what, Note note) {
  note.set_last(true);
  if (!ExchangeNote(trial, stream, what + " last note", note)) return;
  stream.WritesDone();
  trial.Expect(what + " gives nothing more", !stream.Read().has_value());
  trial.ExpectOk(what, stream.Finish().status);
}

// New calls fail with UNAVAILABLE once the server drains; how soon is the server's affair. grpc's own servers answer
// CANCELLED to calls that cross with their GOAWAY.
void ExpectNoNewCalls(Trial& trial, TestClient& client, const std::string& what) {
  constexpr absl::Duration kPatience = absl::Seconds(5);
  const absl::Time give_up = absl::Now() + kPatience;
  absl::Status status;
  while ((status.ok() || status.code() == absl::StatusCode::kCancelled) && absl::Now() < give_up) {
    status = client.EmptyCall(CallSetup::Timeout(kPatience)).status;
    absl::SleepFor(absl::Milliseconds(5));
  }
  trial.ExpectCode(what, absl::StatusCode::kUnavailable, status);
}

}  // namespace

void MessageAtLimit(Trial& trial) {
  const SimpleRequest up = MessageOf<SimpleRequest>(kLimitBytes);
  trial.ExpectEqual("request size", kLimitBytes, up.ByteSizeLong());
  trial.ExpectOk("UnaryCall with a request of 4 MiB", trial.client().UnaryCall(up).status);

  const Outcome<SimpleResponse> down = trial.client().UnaryCall(AskFor(kLimitBytes));
  if (trial.ExpectOk("UnaryCall with a response of 4 MiB", down.status)) {
    trial.ExpectEqual("response size", kLimitBytes, down.reply.ByteSizeLong());
  }
}

void RequestAboveLimit(Trial& trial) {
  const SimpleRequest up = MessageOf<SimpleRequest>(kLimitBytes + 1);
  trial.ExpectCode("UnaryCall with a request of 4 MiB + 1", absl::StatusCode::kResourceExhausted,
                   trial.client().UnaryCall(up).status);
  trial.ExpectOk("EmptyCall afterwards", trial.client().EmptyCall(CallSetup()).status);
}

void ResponseAboveLimit(Trial& trial) {
  trial.ExpectCode("UnaryCall with a response of 4 MiB + 1", absl::StatusCode::kResourceExhausted,
                   trial.client().UnaryCall(AskFor(kLimitBytes + 1)).status);
  trial.ExpectOk("EmptyCall afterwards", trial.client().EmptyCall(CallSetup()).status);
}

void ThousandStreams(Trial& trial) {
  constexpr int kRounds = 3;
  const std::string prefix = NewCallId();
  std::vector<std::unique_ptr<HoldStream>> streams;
  for (int i = 0; i < trial.options().streams; ++i) {
    streams.push_back(trial.client().Hold(CallSetup::Timeout(absl::Seconds(60))));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < streams.size(); ++i) {
      const std::string what = absl::StrCat("round ", round + 1, " stream ", i + 1);
      const Note note = MakeNote(absl::StrCat(prefix, "-", i), what);
      if (!ExchangeNote(trial, *streams[i], what, note)) return;
    }
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    const Note note = MakeNote(absl::StrCat(prefix, "-", i), "bye");
    EndHold(trial, *streams[i], absl::StrCat("stream ", i + 1), note);
    if (!trial.failures().empty()) return;
  }
}

void SlowReader(Trial& trial) {
  constexpr int kCount = 2048;
  constexpr int kBlobBytes = 64 * 1024;
  constexpr int kMostInFlight = kCount / 2;  // 64 MiB: above what any of the libraries buffers
  FloodRequest request;
  request.set_call_id(NewCallId());
  request.set_count(kCount);
  request.set_size_bytes(kBlobBytes);
  auto stream = trial.client().Flood(request, CallSetup::Timeout(absl::Seconds(60)));
  trial.Expect("Flood sends a blob", stream->Read().has_value());

  const Observation seen = ObserveStandstill(trial, request.call_id());
  trial.Expect("the handler still runs", seen.running());
  trial.Expect(absl::StrCat("the server stops before ", kMostInFlight, " blobs, got ", seen.sent()),
               seen.sent() < kMostInFlight);

  int blobs = 1;
  while (const std::optional<Blob> blob = stream->Read()) {
    ++blobs;
    if (!trial.ExpectEqual("blob size", kBlobBytes, blob->body().size())) return;
  }
  trial.ExpectEqual("blobs", kCount, blobs);
  trial.ExpectOk("Flood", stream->Finish().status);
}

// Flow control of the connection must not make one call wait for the reader of another.
void UnreadCalls(Trial& trial) {
  constexpr int kUnread = 20;
  const CallSetup setup = CallSetup::Timeout(absl::Seconds(5));
  FloodRequest flood;
  flood.set_count(32);
  flood.set_size_bytes(64 * 1024);
  std::vector<std::unique_ptr<FloodStream>> unread;
  for (int i = 0; i < kUnread; ++i) {
    flood.set_call_id(NewCallId());
    unread.push_back(trial.client().Flood(flood, CallSetup::Timeout(absl::Seconds(20))));
  }
  SimpleRequest request;
  request.set_response_size(314159);
  trial.ExpectOk(absl::StrCat("UnaryCall beside ", kUnread, " calls that are not read"),
                 trial.client().UnaryCall(request, setup).status);
  for (const auto& stream : unread) {
    int blobs = 0;
    while (stream->Read().has_value()) ++blobs;
    trial.ExpectEqual("blobs when read at last", flood.count(), blobs);
    trial.ExpectOk("Flood", stream->Finish().status);
    if (!trial.failures().empty()) return;
  }
}

// The client does not read: the handler cannot write, hence does not read, and the client's writes must wait.
void PushBackBothWays(Trial& trial) {
  constexpr int kCount = 2048;
  constexpr int kMostInFlight = kCount / 2;  // 64 MiB: above what any of the libraries buffers, both ways together
  const std::string call_id = NewCallId();
  auto stream = trial.client().Hold(CallSetup::Timeout(absl::Seconds(60)));
  const Note note = MakeNote(call_id, std::string(64 * 1024, '\0'));
  if (!ExchangeNote(trial, *stream, "first note", note)) return;

  std::atomic<int> written = 0;
  std::thread writer([&] {
    while (written < kCount && stream->Write(note)) ++written;
    Note last = note;
    last.set_last(true);
    stream->Write(last);
    stream->WritesDone();
  });
  trial.Expect("the handler still runs", ObserveStandstill(trial, call_id).running());
  const int waiting_at = written;
  trial.Expect(absl::StrCat("the client stops before ", kMostInFlight, " notes, got ", waiting_at),
               waiting_at < kMostInFlight);

  int echoes = 0;
  while (stream->Read().has_value()) ++echoes;
  writer.join();
  trial.ExpectEqual("echoes", kCount + 1, echoes);
  trial.ExpectOk("Hold", stream->Finish().status);
}

void DrainInFlight(Trial& trial) {
  auto hold = trial.client().Hold(CallSetup::Timeout(absl::Seconds(20)));
  const Note note = MakeNote(NewCallId(), "in flight");
  if (!ExchangeNote(trial, *hold, "before the drain", note)) return;

  if (!trial.ExpectOk("Drain", trial.client().Drain().status)) return;
  ExpectNoNewCalls(trial, *trial.NewClient(), "EmptyCall on a new channel while draining");
  ExpectNoNewCalls(trial, trial.client(), "EmptyCall on the same channel while draining");

  for (int i = 0; i < 3; ++i) {
    if (!ExchangeNote(trial, *hold, absl::StrCat("exchange ", i + 1, " while draining"), note)) return;
  }
  EndHold(trial, *hold, "Hold while draining", note);
}

}  // namespace weir::interop
