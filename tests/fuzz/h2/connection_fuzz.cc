// An H2Connection against arbitrary bytes and calls; moves.h says how an input chooses them. Checked: no crash, the
// order of events (event_order.h), every frame written is a whole one, nothing is left when all was written.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weir/tests/fuzz/h2/event_order.h"
#include "weir/tests/fuzz/h2/moves.h"
#include "weir/tests/fuzz/input.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/h2/frame.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/h2/preface.h"

namespace weir::transport {
namespace {

using testing::Input;
using testing::Require;

constexpr uint32_t kIdsLeft = 0x7ffffff8;  // with Shape::kLastIds: 0x7ffffff9 and three more

H2Options OptionsOf(uint8_t shape, uint8_t budgets) {
  const auto has = [shape](Shape bit) { return (shape & static_cast<uint8_t>(bit)) != 0; };
  const auto chosen = [budgets](int bit) { return (budgets >> bit & 1) != 0; };
  H2Options options;
  options.role = has(Shape::kClient) ? Role::kClient : Role::kServer;
  options.max_concurrent_streams = has(Shape::kThreeStreams) ? 3 : 1000;
  options.stream_window_bytes = has(Shape::kSmallWindow) ? 100 : 256 * 1024;
  options.header_list_bytes_max = has(Shape::kSmallHeaders) ? 200 : 16 * 1024;
  options.extended_connect = !has(Shape::kNoExtendedConnect);
  if (has(Shape::kHoldsNothing)) {
    options.held_bytes_max = 0;
    options.connection_window_bytes = 65535;
  }
  if (has(Shape::kLastIds)) options.first_stream_id = kIdsLeft + 1;
  if (has(Shape::kFewFields)) options.header_fields_max = 5;
  options.send_queue_bytes_max = 4096;
  if (chosen(0)) {
    const Rate little{3, 1};
    options.resets = options.glitches = options.settings = options.pings = options.empty_data = options.small_data =
        options.unknown_frames = little;
    options.continuation_frames_max = options.priorities_per_stream = options.window_updates_per_data_frame = 1;
    options.unread_acks_max = options.queued_control_frames_max = options.empty_data_in_a_row_max = 3;
    options.interim_responses_max = 1;
  }
  if (chosen(1)) options.early_reset_streams_min = 2;
  if (chosen(2)) {
    options.min_ping_interval = H2Options::Milliseconds(1000);
    options.min_idle_ping_interval = H2Options::Milliseconds(2000);
  }
  return options;
}

class Fuzz {
 public:
  Fuzz(const H2Options& options, Input input)
      : input_(input),
        connection_(options),
        written_(options.role),
        high_ids_(options.first_stream_id == 1 ? 0 : kIdsLeft) {
    connection_.InitiateConnection();
    if (options.role == Role::kServer) return;
    Open(Request("POST"), EndStream::kYes);
    Open(Request("POST"), EndStream::kNo);
    Open(Request("HEAD"), EndStream::kYes);
  }

  void Run() {
    while (!input_.empty() && !connection_.IsAbandoned()) Move();
    if (connection_.IsAbandoned()) return RunAbandoned();
    Pull(SIZE_MAX);
    connection_.CloseConnection(ErrorCode::kNoError);
    Pull(SIZE_MAX);
    Require(connection_.IsFinished(), "a closed connection is finished once all is written");
    Require(written_.pending_bytes() == 0, "whole frames");
  }

 private:
  static HeaderList Request(std::string_view method) {
    return {{":method", method}, {":scheme", "http"}, {":path", "/"}};
  }

  std::string_view Text() { return input_.Bytes(input_.Byte() % 64); }

  void Open(const HeaderList& head, EndStream end) {
    const auto id = connection_.SendRequestHeaders(head, end);
    if (id.ok()) order_.Open(*id);
  }

  void Move() {
    const uint8_t move = input_.Byte();
    if (move < kFirstCall) return Receive(input_.Bytes(move == 0 ? SIZE_MAX : move));
    const auto call = static_cast<Call>((move - kFirstCall) % static_cast<uint8_t>(Call::kCalls));
    const auto id = static_cast<StreamId>(input_.Byte() % 8 | high_ids_);
    const uint8_t amount = input_.Byte();
    Do(call, id, amount, (amount & 1) != 0 ? EndStream::kYes : EndStream::kNo);
  }

  void Do(Call call, StreamId id, uint8_t amount, EndStream end) {
    switch (call) {
      case Call::kPull:
        return end == EndStream::kYes ? PullWithoutEvents(amount * 64) : Pull(amount * 64);
      case Call::kOpen:
        return Open(Request("POST"), end);
      case Call::kRespond:
        return connection_.SendResponseHeaders(id, 200, {{"a", "b"}}, end).IgnoreError();
      case Call::kSend:
        connection_.SendData(id, std::string(amount * 20, 'x'), end);
        return;
      case Call::kSendShared:
        connection_.SendData(id, SharedBytes::Of(std::string(amount * 200, 's')), end);
        return;
      case Call::kSendTrailers:
        return connection_.SendTrailers(id, {{"a", "b"}}).IgnoreError();
      case Call::kReset:
        connection_.ResetStream(id, ErrorCode::kCancel);
        return order_.Silence(id);
      case Call::kResetAfterEnd:
        return connection_.ResetStreamAfterEnd(id, ErrorCode::kNoError);
      case Call::kRemove:
        return Remove(id);
      case Call::kConsume:
        return connection_.ConsumeData(id, amount * 16);
      case Call::kBeginDrain:
        return connection_.BeginDrain("fuzz");
      case Call::kFinishDrain:
        return connection_.FinishDrain();
      case Call::kPing:
        return connection_.SendPing(amount);
      case Call::kPullAll:
        return Pull(SIZE_MAX);
      case Call::kAdvanceTime:
        return connection_.AdvanceTime(now_ += std::chrono::milliseconds(amount * 100));
      case Call::kRespondWithStatus:
        return connection_.SendResponseHeaders(id, 98 + amount * 4, {{"a", "b"}}, EndStream::kNo).IgnoreError();
      case Call::kRespondWithFields:
        return connection_.SendResponseHeaders(id, 200, {{Text(), Text()}, {Text(), Text()}}, end).IgnoreError();
      case Call::kOpenTunnel:
        return Open({{":method", "CONNECT"}, {":protocol", Text()}, {":scheme", "http"}, {":path", "/"}}, end);
      case Call::kReserve:
        if (char* room = connection_.ReserveData(id, amount)) std::memset(room, 'r', amount);
        return;
      case Call::kClose:
        return connection_.CloseConnection(static_cast<ErrorCode>(amount), Text());
      case Call::kAsk:
        return Ask(id);
      case Call::kOpenWithField:
        return Open(
            {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {Text(), std::string(amount * 400, 'v')}}, end);
      case Call::kWithhold:
        return Withhold(id, amount * 16);
      case Call::kReopen:
        return Reopen(id, amount * 16);
      case Call::kResizeWindows:
        return connection_.ResizeStreamWindows(uint32_t{amount} << id % 8 * 3);
      case Call::kSendTrailersWithField:
        return connection_.SendTrailers(id, {{Text(), Text()}}).IgnoreError();
      case Call::kReceiveBody:
        return ReceiveBody(id, amount * 128, end);
      case Call::kReceiveMany:
        return ReceiveMany(Text(), amount);
      case Call::kMark:
        if (order_.Knows(id)) connection_.SetStreamData(id, this);
        return;
      case Call::kAbandon:
        return connection_.Abandon();
      case Call::kCalls:
        return;
    }
  }

  void Ask(StreamId id) {
    const bool known = connection_.LocalFlowControlWindow(id) > 0 || !connection_.StreamEnded(id);
    Require(!known || connection_.ActiveStreamCount() > 0, "what is known of streams is of streams that there are");
    Require(!connection_.IsDraining() || !connection_.CanOpenStream(), "no stream is opened while it drains");
    Require(connection_.HeldBytes() <= received_, "no more is held than has come");
    Require(connection_.counters().frames * FrameHeader::kBytes <= received_, "a frame has nine octets at least");
    Require(connection_.StreamData(id) == nullptr || connection_.StreamData(id) == this, "a mark is the caller's");
    (void)connection_.IsClosed();
    (void)connection_.PeerMaxConcurrentStreams();
    (void)connection_.HeaderBlockSince();
    (void)connection_.ReceiveWindow(id);
    (void)connection_.QueuedBytes();
    (void)connection_.IsConnectionWindowUsedUp();
  }

  void Remove(StreamId id) {
    const size_t before = connection_.ActiveStreamCount();
    connection_.RemoveStream(id);
    Require(connection_.ActiveStreamCount() + 1 >= before, "one stream is removed at most");
    Require(connection_.StreamData(id) == nullptr, "a stream's mark goes with it");
    order_.Silence(id);
  }

  // What has been withheld may be given back, and no more.
  void Withhold(StreamId id, size_t bytes) {
    const size_t before = connection_.HeldBytes();
    connection_.WithholdData(id, bytes);
    withheld_[id] += before - connection_.HeldBytes();
  }
  void Reopen(StreamId id, size_t bytes) {
    bytes = std::min(bytes, withheld_[id]);
    withheld_[id] -= bytes;
    connection_.ReopenStream(id, bytes);
  }

  void Receive(std::string_view input) {
    const std::string bytes(input);  // of its own, so that a sanitizer sees who reads behind its end
    received_ += bytes.size();
    std::vector<H2Event> events;
    connection_.ReceiveData(bytes, &events);
    order_.Take(events);
  }
  void ReceiveBody(StreamId id, uint32_t bytes, EndStream end) {
    std::string frame;
    const uint8_t flags = end == EndStream::kYes ? frame_flag::kEndStream : 0;
    AppendFrameHeader({.length = bytes, .flags = flags, .stream = static_cast<uint32_t>(id)}, &frame);
    Receive(frame.append(bytes, 'b'));
  }
  // A flood of one kind of frame.
  void ReceiveMany(std::string_view frame, int times) {
    std::string frames;
    for (int i = 0; i < times; ++i) frames += frame;
    Receive(frames);
  }

  void Pull(size_t max_bytes) {
    OutputBuffer out;
    std::vector<H2Event> events;
    connection_.DataToSend(max_bytes, &out, &events);
    order_.Take(events);
    Written(out);
    if (max_bytes == SIZE_MAX) Require(!connection_.HasDataToSend(), "nothing is left when all was written");
  }
  // They come with the next bytes of the peer's.
  void PullWithoutEvents(size_t max_bytes) {
    OutputBuffer out;
    connection_.DataToSend(max_bytes, &out);
    Written(out);
  }
  void Written(const OutputBuffer& out) {
    if (out.Flatten() == kHttp1Refusal) return;  // all that such a client gets
    std::vector<std::string> lines;
    written_.Feed(out.Flatten(), &lines);
    for (const std::string& line : lines) Require(!line.starts_with("FRAME "), "only well-formed frames are written");
  }

  void RunAbandoned() {
    OutputBuffer out;
    std::vector<H2Event> events;
    connection_.ReceiveData(input_.Bytes(SIZE_MAX), &events);
    connection_.DataToSend(SIZE_MAX, &out, &events);
    Require(events.empty() && out.empty(), "nothing comes of a connection that was abandoned");
    Require(connection_.IsFinished(), "an abandoned connection is finished");
    for (const StreamId id : {1, 3, 5, 7}) connection_.RemoveStream(id | static_cast<StreamId>(high_ids_));
  }

  Input input_;
  H2Connection connection_;
  FrameTextDecoder written_;
  EventOrder order_;
  const uint32_t high_ids_;
  std::map<StreamId, size_t> withheld_;
  size_t received_ = 0;
  MonotonicTime now_{};
};

}  // namespace
}  // namespace weir::transport

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const weir::testing::Input moves(data + 2, size - 2);
  weir::transport::Fuzz(weir::transport::OptionsOf(data[0], data[1]), moves).Run();
  return 0;
}
