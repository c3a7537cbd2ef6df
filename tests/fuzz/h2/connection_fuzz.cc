// An H2Connection against arbitrary bytes and calls. The first byte chooses role and limits; the rest is a sequence of
// moves: most feed bytes from the peer, some call methods. Checked: no crash, one ending for each stream, no event for
// a stream that was let go, nothing after a connection error, every frame written is a whole one.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
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

class Fuzz {
 public:
  Fuzz(uint8_t choice, std::string_view input)
      : input_(input), connection_(Options(choice)), written_(Options(choice).role) {
    connection_.InitiateConnection();
    if ((choice & 1) != 0) {
      for (int i = 0; i < 3; ++i) Open();
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
  static H2Options Options(uint8_t choice) {
    H2Options options;
    options.role = (choice & 1) != 0 ? Role::kClient : Role::kServer;
    options.max_concurrent_streams = (choice & 2) != 0 ? 3 : 1000;
    options.stream_window_bytes = (choice & 4) != 0 ? 100 : 256 * 1024;
    options.header_list_bytes_max = (choice & 8) != 0 ? 200 : 16 * 1024;
    options.send_queue_bytes_max = 4096;
    return options;
  }

  uint8_t Byte() {
    if (input_.empty()) return 0;
    const uint8_t byte = static_cast<uint8_t>(input_.front());
    input_.remove_prefix(1);
    return byte;
  }
  StreamId SomeStream() { return Byte() % 8; }

  void Open() {
    const auto id = connection_.SendRequestHeaders({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}},
                                                   (Byte() & 1) != 0 ? EndStream::kYes : EndStream::kNo);
    if (id.ok()) head_[*id] = false;
  }

  void Move() {
    const uint8_t move = Byte();
    if (move < 160) return Receive(move == 0 ? input_.size() : move);
    const std::string text(Byte() * 20, 'x');
    const EndStream end = (move & 1) != 0 ? EndStream::kYes : EndStream::kNo;
    switch (move % 14) {
      case 0:
        Pull(Byte() * 64);
        break;
      case 1:
        Open();
        break;
      case 2:
        (void)connection_.SendResponseHeaders(SomeStream(), 200, {{"a", "b"}}, end);
        break;
      case 3:
        connection_.SendData(SomeStream(), text, end);
        break;
      case 4:
        connection_.SendData(SomeStream(), SharedBytes::Of(text), end);
        break;
      case 5:
        (void)connection_.SendTrailers(SomeStream(), {{"a", "b"}});
        break;
      case 6:
        LetGo(&H2Connection::ResetStream);
        break;
      case 7:
        connection_.ResetStreamAfterEnd(SomeStream(), ErrorCode::kNoError);
        break;
      case 8:
        Remove();
        break;
      case 9:
        connection_.ConsumeData(SomeStream(), Byte() * 16);
        break;
      case 10:
        connection_.BeginDrain();
        break;
      case 11:
        connection_.FinishDrain();
        break;
      case 12:
        connection_.SendPing(Byte());
        break;
      case 13:
        Pull(SIZE_MAX);
        break;
    }
  }

  void LetGo(void (H2Connection::*how)(StreamId, ErrorCode)) {
    const StreamId id = SomeStream();
    (connection_.*how)(id, ErrorCode::kCancel);
    if (head_.count(id) != 0) silent_[id] = true;
  }
  void Remove() {
    const StreamId id = SomeStream();
    const size_t before = connection_.ActiveStreamCount();
    connection_.RemoveStream(id);
    Check(connection_.ActiveStreamCount() + 1 >= before, "one stream is removed at most");
    if (head_.count(id) != 0) silent_[id] = true;
  }

  void Receive(size_t size) {
    const std::string bytes(input_.substr(0, size));
    input_.remove_prefix(bytes.size());
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
};

}  // namespace
}  // namespace weir::transport

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  weir::transport::Fuzz(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1}).Run();
  return 0;
}
