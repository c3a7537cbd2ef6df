#include "weir/tests/support/call_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/transport/h2/text.h"

namespace weir::testing {

using transport::IoResult;
using transport::MemoryStream;

namespace {

// Above any window of these tests: the stream itself never makes anybody wait.
constexpr size_t kCapacityBytes = 64 << 20;

bool Matches(const std::string& expected, const std::string& got) {
  if (!absl::EndsWith(expected, "...")) return expected == got;
  return absl::StartsWith(got, expected.substr(0, expected.size() - 3));
}

std::string Joined(const Lines& lines) {
  std::string out;
  for (const std::string& line : lines) absl::StrAppend(&out, "  ", line.substr(0, 300), "\n");
  return out.empty() ? "  (nothing)\n" : out;
}

std::string Words(std::initializer_list<std::string_view> words) {
  std::string out;
  for (std::string_view word : words) {
    if (word.empty()) continue;
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

}  // namespace

// ---- frame text -----------------------------------------------------------------------------------------------------

std::string Message(std::string_view body) {
  bench::Payload payload;
  payload.set_body(std::string(body));
  return std::string(wire::Outgoing(payload).Encode()->bytes);
}

std::string Envelope(uint8_t flag, uint32_t length, std::string_view payload) {
  std::string out(wire::kEnvelopeHeaderBytes, '\0');
  wire::PutEnvelopeHeader(out.data(), false, length);
  out[0] = static_cast<char>(flag);
  out += payload;
  return out;
}

std::string Data(int stream_id, std::string_view bytes, std::string_view flags) {
  return Words({absl::StrCat("DATA ", stream_id), flags, transport::Quote(bytes)});
}

std::string Request(int stream_id, std::string_view method, std::string_view fields, std::string_view flags) {
  return Words({absl::StrCat("HEADERS ", stream_id), flags,
                absl::StrCat(":method=POST :scheme=http :path=/bench.Echo/", std::string(method),
                             " :authority=test te=trailers content-type=application/grpc"),
                fields});
}

std::string ResponseHead(int stream_id, std::string_view fields) {
  return Words({absl::StrCat("HEADERS ", stream_id, " :status=200 content-type=application/grpc"), fields});
}

std::string Trailers(int stream_id, std::string_view fields) {
  return Words({absl::StrCat("HEADERS ", stream_id, " END_STREAM"), fields});
}

std::string Line(const absl::Status& status) {
  if (status.ok()) return "OK";
  absl::string_view text = status.message();
  const size_t colon = text.find(": ");
  if (absl::StartsWith(text, "/bench.Echo/") && absl::StrContains(text.substr(0, colon), " to ")) {
    text.remove_prefix(colon + 2);
  }
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", text);
}

// ---- the world ------------------------------------------------------------------------------------------------------

void Signal::Set() {
  set_ = true;
  for (const Resumption& waiter : std::exchange(waiters_, {})) waiter.Resume();
}

IoResult CountedStream::Write(std::span<const std::string_view> pieces) {
  const IoResult result = stream_->Write(pieces);
  if (result.kind == IoResult::Kind::kDone) ++*writes_;
  return result;
}

CallWorld::CallWorld(transport::Role role) : loop_(clock_), decoder_(role) {
  transport::MemoryStreamOptions options;
  options.capacity_bytes = kCapacityBytes;
  auto [local, peer] = transport::MakeMemoryStreamPair(loop_, options);
  local_memory_ = local.get();
  local_ = std::make_unique<CountedStream>(std::move(local), &writes_);
  peer_ = std::move(peer);
}

CallWorld::~CallWorld() = default;

void CallWorld::OnLoop(std::function<void()> work) {
  loop_.Post(std::move(work));
  loop_.RunUntilIdle();
}

void CallWorld::SetAllSignals() {
  for (auto& [name, signal] : signals_) signal.Set();
}

void CallWorld::Receive(std::string_view bytes, Cuts* cuts) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, cuts->Next(bytes.size()));
    bytes.remove_prefix(piece.size());
    const IoResult written = peer_->Write(std::span(&piece, 1));
    EXPECT_TRUE(written.kind == IoResult::Kind::kDone && written.bytes == piece.size())
        << "the connection under test is closed already: " << written.error;
    loop_.RunUntilIdle();
  }
}

void CallWorld::ReceiveLate(std::string_view bytes, std::chrono::nanoseconds by) {
  EXPECT_EQ(peer_->Write(std::span(&bytes, 1)).bytes, bytes.size());
  clock_.Advance(by);
  loop_.RunUntilIdle();
}

void CallWorld::CloseFromPeer() {
  peer_->ShutdownWrite();
  loop_.RunUntilIdle();
}

void CallWorld::Lose(absl::Status error) {
  local_memory_->FailWith(std::move(error));
  loop_.RunUntilIdle();
}

void CallWorld::ReadWritten() {
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    const IoResult result = peer_->Read(buffer);
    if (result.kind != IoResult::Kind::kDone) break;
    std::vector<std::string> lines;
    decoder_.Feed({buffer.data(), result.bytes}, &lines);
    for (std::string& line : lines) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      int stream_id = 0;
      int64_t increment = 0;
      if (words[0] == "WINDOW_UPDATE" && absl::SimpleAtoi(words[1], &stream_id) &&
          absl::SimpleAtoi(words[2], &increment)) {
        returned_[stream_id] += increment;
      } else {
        written_.push_back(std::move(line));
      }
    }
  }
}

std::vector<std::string> CallWorld::TakeWritten() {
  ReadWritten();
  EXPECT_EQ(decoder_.pending_bytes(), 0u) << "half a frame was written";
  // Neighbouring DATA of one stream as one frame: how it was cut depends on how the input was.
  std::vector<std::string> joined;
  std::string open_prefix;  // "DATA 1 " of the last line if DATA may be added to it
  for (std::string& line : written_) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    const bool data = words.size() == 3 && words[0] == "DATA";
    const std::string prefix = data ? absl::StrCat("DATA ", words[1], " ") : "";
    if (data && prefix == open_prefix && absl::StartsWith(words[2], "\"")) {
      joined.back().pop_back();
      joined.back() += words[2].substr(1);
      continue;
    }
    open_prefix = data && absl::StartsWith(words[2], "\"") ? prefix : "";
    joined.push_back(std::move(line));
  }
  written_.clear();
  return joined;
}

int64_t CallWorld::TakeReturned(int stream_id) {
  ReadWritten();
  return std::exchange(returned_[stream_id], 0);
}

void CallWorld::DropWritten() {
  ReadWritten();
  written_.clear();
  returned_.clear();
  writes_ = 0;
}

// ---- the script -----------------------------------------------------------------------------------------------------

void ExpectLines(const Lines& expected, const Lines& got) {
  const bool same = expected.size() == got.size() && std::equal(expected.begin(), expected.end(), got.begin(), Matches);
  EXPECT_TRUE(same) << "expected:\n" << Joined(expected) << "got:\n" << Joined(got);
}

bool PlayStep(const std::string& where, const std::function<void()>& step) {
  SCOPED_TRACE(where);
  step();
  return !::testing::Test::HasFailure();
}

}  // namespace weir::testing
