// An H2Connection against arbitrary bytes and calls. The first two bytes choose role, limits and budgets; the rest is a
// sequence of moves: below 160 so many bytes come from the peer (0: all the rest), the others call methods. Checked: no
// crash, one ending for each stream, no event for a stream that was let go, nothing after a connection error, every
// frame written is a whole one.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/h2/connection.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/h2/preface.h"

namespace weir::transport {
namespace {

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

H2Options OptionsOf(uint8_t shape, uint8_t budgets) {
  const auto chosen = [](uint8_t choices, int bit) { return (choices >> bit & 1) != 0; };
  H2Options options;
  options.role = chosen(shape, 0) ? Role::kClient : Role::kServer;
  options.max_concurrent_streams = chosen(shape, 1) ? 3 : 1000;
  options.stream_window_bytes = chosen(shape, 2) ? 100 : 256 * 1024;
  options.header_list_bytes_max = chosen(shape, 3) ? 200 : 16 * 1024;
  options.extended_connect = !chosen(shape, 4);
  if (chosen(shape, 5)) options.held_bytes_max = 0;
  if (chosen(shape, 6)) options.first_stream_id = 0x7ffffffb;
  options.send_queue_bytes_max = 4096;
  if (chosen(budgets, 0)) {
    const Rate little{3, 1};
    options.resets = options.glitches = options.settings = options.pings = options.empty_data = options.small_data =
        options.unknown_frames = little;
    options.continuation_frames_max = options.priorities_per_stream = options.window_updates_per_data_frame = 1;
    options.unread_acks_max = options.queued_control_frames_max = options.empty_data_in_a_row_max = 3;
    options.interim_responses_max = 1;
  }
  if (chosen(budgets, 1)) options.early_reset_streams_min = 2;
  if (chosen(budgets, 2)) {
    options.min_ping_interval = H2Options::Milliseconds(1000);
    options.min_idle_ping_interval = H2Options::Milliseconds(2000);
  }
  return options;
}

class Fuzz {
 public:
  Fuzz(const H2Options& options, std::string_view input) : input_(input), connection_(options), written_(options.role) {
    connection_.InitiateConnection();
    if (options.role == Role::kClient) {
      for (int i = 0; i < 3; ++i) Open(request_, i == 1 ? EndStream::kNo : EndStream::kYes);
    }
  }

  void Run() {
    while (!input_.empty()) Move();
    Pull(SIZE_MAX);
    connection_.CloseConnection(ErrorCode::kNoError);
    Pull(SIZE_MAX);
    Check(connection_.IsFinished(), "a closed connection is finished once all is written");
    Check(written_.pending_bytes() == 0, "whole frames");
  }

 private:
  static constexpr int kMoves = 22;
  const HeaderList request_ = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}};

  uint8_t Byte() {
    if (input_.empty()) return 0;
    const uint8_t byte = static_cast<uint8_t>(input_.front());
    input_.remove_prefix(1);
    return byte;
  }
  std::string_view Text() {
    const size_t size = Byte() % 16;
    const std::string_view text = input_.substr(0, size);
    input_.remove_prefix(text.size());
    return text;
  }

  void Open(const HeaderList& head, EndStream end) {
    const auto id = connection_.SendRequestHeaders(head, end);
    if (id.ok()) head_[*id] = false;
  }

  void Move() {
    const uint8_t move = Byte();
    if (move < 160) return Receive(move == 0 ? input_.size() : move);
    const StreamId id = Byte() % 8;
    const uint8_t amount = Byte();
    const EndStream end = (amount & 1) != 0 ? EndStream::kYes : EndStream::kNo;
    const std::string octets(amount * 20, 'x');
    switch ((move - 160) % kMoves) {
      case 0:
        return Pull(amount * 64);
      case 1:
        return Open(request_, end);
      case 2:
        return Drop(connection_.SendResponseHeaders(id, 200, {{"a", "b"}}, end));
      case 3:
        return Drop(connection_.SendData(id, octets, end));
      case 4:
        return Drop(connection_.SendData(id, SharedBytes::Of(octets), end));
      case 5:
        return Drop(connection_.SendTrailers(id, {{"a", "b"}}));
      case 6:
        connection_.ResetStream(id, ErrorCode::kCancel);
        return Silence(id);
      case 7:
        return connection_.ResetStreamAfterEnd(id, ErrorCode::kNoError);
      case 8:
        return Remove(id);
      case 9:
        return connection_.ConsumeData(id, amount * 16);
      case 10:
        return connection_.BeginDrain("fuzz");
      case 11:
        return connection_.FinishDrain();
      case 12:
        return connection_.SendPing(amount);
      case 13:
        return Pull(SIZE_MAX);
      case 14:
        return connection_.AdvanceTime(now_ += std::chrono::milliseconds(amount * 100));
      case 15:
        return Drop(connection_.SendResponseHeaders(id, 100 + amount % 4, {{"a", "b"}}, end));
      case 16:
        return Drop(connection_.SendResponseHeaders(id, 200, {{Text(), Text()}, {Text(), Text()}}, end));
      case 17:
        return Open({{":method", "CONNECT"}, {":protocol", Text()}, {":scheme", "http"}, {":path", "/"}}, end);
      case 18:
        if (char* room = connection_.ReserveData(id, amount)) std::memset(room, 'r', amount);
        return;
      case 19:
        return connection_.CloseConnection(static_cast<ErrorCode>(amount), Text());
      case 20:
        return Ask(id);
      case 21:
        return Open({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {Text(), octets}}, end);
    }
  }
  template <class Result>
  static void Drop(Result&&) {}

  void Ask(StreamId id) {
    const bool known = connection_.LocalFlowControlWindow(id) > 0 || !connection_.StreamEnded(id);
    Check(!known || connection_.ActiveStreamCount() > 0, "what is known of streams is of streams that there are");
    Check(!connection_.IsDraining() || !connection_.CanOpenStream(), "no stream is opened while it drains");
    Check(connection_.HeldBytes() <= received_, "no more is held than has come");
    Check(connection_.counters().frames * 9 <= received_, "a frame has nine octets at least");
    (void)connection_.IsClosed();
    (void)connection_.PeerMaxConcurrentStreams();
    (void)connection_.HeaderBlockSince();
  }

  void Silence(StreamId id) {
    if (head_.count(id) != 0) silent_[id] = true;
  }
  void Remove(StreamId id) {
    const size_t before = connection_.ActiveStreamCount();
    connection_.RemoveStream(id);
    Check(connection_.ActiveStreamCount() + 1 >= before, "one stream is removed at most");
    Silence(id);
  }

  void Receive(size_t size) {
    const std::string bytes(input_.substr(0, size));
    input_.remove_prefix(bytes.size());
    received_ += bytes.size();
    std::vector<H2Event> events;
    connection_.ReceiveData(bytes, &events);
    Take(events);
  }

  void Pull(size_t max_bytes) {
    OutputBuffer out;
    std::vector<H2Event> events;
    connection_.DataToSend(max_bytes, &out, &events);
    if (out.Flatten() == kHttp1Refusal) return Take(events);  // all that such a client gets
    std::vector<std::string> lines;
    written_.Feed(out.Flatten(), &lines);
    for (const std::string& line : lines) Check(!line.starts_with("FRAME "), "only well-formed frames are written");
    Take(events);
  }

  void Head(StreamId id) {
    Check(head_.count(id) == 0, "one head for each stream");
    head_[id] = true;
  }
  void Tell(StreamId id, bool ending) {
    Check(head_.count(id) != 0, "a head comes first");
    Check(!silent_[id], "no event for a stream that was let go");
    Check(!ended_[id], "nothing but a reset after the ending");
    ended_[id] = ending;
  }

  void Take(const std::vector<H2Event>& events) {
    for (const H2Event& event : events) {
      Check(!failed_, "nothing after a connection error");
      (void)ToString(event);
      if (const auto* request = std::get_if<H2RequestReceived>(&event)) {
        Head(request->stream_id);
        ended_[request->stream_id] = request->end_stream;
      } else if (const auto* too_large = std::get_if<H2RequestTooLarge>(&event)) {
        Head(too_large->stream_id);
        ended_[too_large->stream_id] = too_large->end_stream;
      } else if (const auto* tunnel = std::get_if<H2WebSocketRequest>(&event)) {
        Head(tunnel->stream_id);
      } else if (const auto* response = std::get_if<H2ResponseReceived>(&event)) {
        Tell(response->stream_id, response->end_stream);
      } else if (const auto* body = std::get_if<H2BodyReceived>(&event)) {
        Check(body->body.flow_controlled_bytes == body->body.data.size(), "the caller owes the bytes it got");
        Tell(body->stream_id, !body->body.more);
      } else if (const auto* trailers = std::get_if<H2TrailersReceived>(&event)) {
        Tell(trailers->stream_id, true);
      } else if (const auto* reset = std::get_if<H2StreamReset>(&event)) {
        Check(head_.count(reset->stream_id) != 0 && !silent_[reset->stream_id], "a reset of a stream that is known");
        silent_[reset->stream_id] = true;
      } else if (std::holds_alternative<H2ConnectionError>(event)) {
        failed_ = true;
      }
    }
  }

  std::string_view input_;
  H2Connection connection_;
  FrameTextDecoder written_;
  std::map<StreamId, bool> head_;
  std::map<StreamId, bool> ended_;
  std::map<StreamId, bool> silent_;
  bool failed_ = false;
  size_t received_ = 0;
  MonotonicTime now_{};
};

}  // namespace
}  // namespace weir::transport

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view moves(reinterpret_cast<const char*>(data) + 2, size - 2);
  weir::transport::Fuzz(weir::transport::OptionsOf(data[0], data[1]), moves).Run();
  return 0;
}
