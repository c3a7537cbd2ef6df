// Hostile and broken peers: limits, floods, connection errors, peers that do not speak HTTP/2.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weir/tests/support/frame_script.h"

namespace weir::transport {
namespace {

using ::weir::testing::ClientOptions;
using ::weir::testing::Frames;
using ::weir::testing::FrameScript;
using ::weir::testing::ServerOptions;

constexpr char kHead[] = ":method=POST :scheme=http :path=/a :authority=x";
// As RFC 9113 section 6.5.2 counts it.
constexpr size_t kHeadBytes = 7 + 4 + 7 + 4 + 5 + 2 + 10 + 1 + 4 * 32;

std::string Request(StreamId id) { return "HEADERS " + std::to_string(id) + " END_STREAM " + kHead; }
std::string RequestEvent(StreamId id) { return "Request " + std::to_string(id) + " " + kHead + " end"; }

H2Options SmallHeaders() {
  H2Options options = ServerOptions();
  options.header_list_bytes_max = 1000;
  options.header_fields_max = 10;
  return options;
}

// A field that brings the head to `bytes` in all.
std::string Filler(size_t bytes) { return " a=" + std::string(bytes - kHeadBytes - 33, 'x'); }
std::string Fields(size_t count) {
  std::string out;
  for (size_t i = 4; i < count; ++i) out += " a=b";
  return out;
}

TEST(HeaderLimitTest, AHeadUpToTheLimitPassesAndOfALargerOneOnlyTheSizeIsTold) {
  for (size_t bytes : {999, 1000, 1001, 3999, 4000}) {
    SCOPED_TRACE(bytes);
    FrameScript script(SmallHeaders());
    script.Handshake().Peer(Request(1) + Filler(bytes) + "\n" + Request(3));
    if (bytes <= 1000) {
      script.ExpectEvents({"Request 1 " + std::string(kHead) + Filler(bytes) + " end", RequestEvent(3)});
      script.ExpectWritten({}).ExpectStreams(2);
    } else {
      script.ExpectEvents({"RequestTooLarge 1 bytes=" + std::to_string(bytes) + " fields=5 end", RequestEvent(3)});
      script.ExpectWritten({}).ExpectStreams(2);
    }
    script.Run();
  }
}

TEST(HeaderLimitTest, TheNumberOfFieldsIsLimitedToo) {
  for (size_t count : {9, 10, 11, 40}) {
    SCOPED_TRACE(count);
    H2Options options = SmallHeaders();
    options.header_list_bytes_max = 16 * 1024;
    FrameScript script(options);
    script.Handshake().Peer(Request(1) + Fields(count)).ExpectStreams(1);
    if (count <= 10) {
      script.ExpectEvents({"Request 1 " + std::string(kHead) + Fields(count) + " end"}).ExpectWritten({});
    } else {
      const std::string size = " bytes=" + std::to_string(kHeadBytes + 34 * (count - 4)) + " fields=";
      script.ExpectEvents({"RequestTooLarge 1" + size + std::to_string(count) + " end"}).ExpectWritten({});
    }
    script.Run();
  }
}

TEST(HeaderLimitTest, ATooLargeRequestIsOpenForAnAnswerAndItsBodyIsTold) {
  FrameScript(SmallHeaders())
      .Handshake()
      .Peer("HEADERS 1 " + std::string(kHead) + Filler(1001) + "\nDATA 1 \"a\"")
      .ExpectEvents({"RequestTooLarge 1 bytes=1001 fields=5", "Body 1 \"a\" more"})
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendResponseHeaders(1, 431, {}, EndStream::kYes).ok());
        c.ResetStreamAfterEnd(1, ErrorCode::kNoError);
        c.RemoveStream(1);
      })
      .ExpectWritten({"HEADERS 1 END_STREAM :status=431", "RST_STREAM 1 NO_ERROR"})
      .ExpectStreams(0)
      .Run();
}

TEST(HeaderLimitTest, OverFourTimesALimitTheConnectionEnds) {
  for (const std::string& excess : {Filler(4001), Fields(41)}) {
    FrameScript(SmallHeaders())
        .Handshake()
        .Peer(Request(1) + "\n" + Request(3) + excess)
        .ExpectEvents(
            {RequestEvent(1),
             "ConnectionError ENHANCE_YOUR_CALM \"header block: expected at most 1000 octets and 10 fields "
             "(H2Options::header_list_bytes_max, header_fields_max; of a server or channel max_metadata_bytes, "
             "max_metadata_fields), got more than four times that\""})
        .ExpectFinished(false)
        .ExpectWritten({"GOAWAY last=3 ENHANCE_YOUR_CALM..."})
        .ExpectFinished(true)
        .Run();
  }
}

TEST(HeaderLimitTest, TheCompressionContextStaysInStepAfterARefusedBlock) {
  // The refused block puts "k: v" into the dynamic table (literal with incremental indexing); the next one refers to
  // it.
  std::string block;
  AppendLiteralBlock({{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}, {":authority", "x"}}, &block);
  std::string big = block;
  big += std::string("\x40\x01k\x01v", 5);
  AppendLiteralBlock({{"a", std::string(1000, 'x')}}, &big);
  block += '\xbe';  // index 62
  const auto raw = [](int stream, const std::string& bytes) {
    std::string line = "FRAME type=0x01 flags=0x05 stream=" + std::to_string(stream) + " hex:";
    for (unsigned char c : bytes) {
      line += "0123456789abcdef"[c >> 4];
      line += "0123456789abcdef"[c & 15];
    }
    return line;
  };
  FrameScript(SmallHeaders())
      .Handshake()
      .Peer(raw(1, big) + "\n" + raw(3, block))
      .ExpectEvents({"RequestTooLarge 1 bytes=1235 fields=6 end", "Request 3 " + std::string(kHead) + " k=v end"})
      .Run();
}

TEST(HeaderLimitTest, OverlongTrailersAndResponsesAreResetWithAnEvent) {
  FrameScript(SmallHeaders())
      .Handshake()
      .Peer("HEADERS 1 " + std::string(kHead) + "\nHEADERS 1 END_STREAM a=" + std::string(1000, 'x'))
      .ExpectEvents({"Request 1 " + std::string(kHead), "Reset 1 ENHANCE_YOUR_CALM by local bytes=1033 fields=1"})
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .Run();
  H2Options options = SmallHeaders();
  options.role = Role::kClient;
  FrameScript(options)
      .Handshake()
      .Do([](H2Connection& c) {
        EXPECT_TRUE(
            c.SendRequestHeaders({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, EndStream::kYes).ok());
      })
      .Drop()
      .Peer("HEADERS 1 :status=200 a=" + std::string(1000, 'x'))
      .ExpectEvents({"Reset 1 ENHANCE_YOUR_CALM by local bytes=1075 fields=2"})
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .Run();
}

TEST(W35Flood, FourContinuationFramesPassHoweverTheyAreCut) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(
          "HEADERS 1 END_STREAM NO_END_HEADERS :method=POST\nCONTINUATION 1 :scheme=http\nCONTINUATION 1 :path=/a\n"
          "CONTINUATION 1 :authority=x\nCONTINUATION 1 END_HEADERS")
      .ExpectEvents({RequestEvent(1)})
      .Run();
}

TEST(W35Flood, TooManyContinuationFramesEndTheConnection) {
  std::string frames = "HEADERS 1 END_STREAM NO_END_HEADERS " + std::string(kHead);
  for (int i = 0; i < 37; ++i) frames += "\nCONTINUATION 1";
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(frames)
      .ExpectEvents({"ConnectionError ENHANCE_YOUR_CALM \"header block: expected at most 4 CONTINUATION frames..."})
      .ExpectWritten({"GOAWAY last=1 ENHANCE_YOUR_CALM..."})
      .ExpectFinished(true)
      .Run();
}

TEST(W35Flood, MoreThanThirtyTwoEntriesInOneSettingsFrameEndTheConnection) {
  for (H2Options options : {ServerOptions(), ClientOptions()}) {
    for (int entries : {31, 32, 33}) {
      std::string settings = "SETTINGS";
      for (int i = 0; i < entries; ++i) settings += " MAX_FRAME_SIZE=16384";
      FrameScript script(options);
      script.Handshake().Peer(settings);
      if (entries <= 32) {
        script.ExpectWritten({"SETTINGS ACK"});
      } else {
        script
            .ExpectEvents({"ConnectionError ENHANCE_YOUR_CALM \"SETTINGS: expected at most 32 entries in a frame "
                           "(H2Options::settings_entries_max), got 33\""})
            .ExpectWritten({"GOAWAY last=0 ENHANCE_YOUR_CALM..."});
      }
      script.Run();
    }
  }
}

TEST(W35Flood, AHundredUnreadAcknowledgementsEndTheConnection) {
  for (const char* frame : {"PING 0000000000000000\n", "SETTINGS\n"}) {
    std::string frames;
    for (int i = 0; i < 110; ++i) frames += frame;
    H2Options options = ServerOptions();
    options.settings = {1000, 0};
    options.pings = {1000, 0};
    H2Connection server(options);
    server.InitiateConnection();
    std::vector<H2Event> events;
    server.ReceiveData(Frames("PREFACE\nSETTINGS\n" + frames), &events);
    ASSERT_FALSE(events.empty());
    EXPECT_TRUE(ToString(events.back()).starts_with("ConnectionError ENHANCE_YOUR_CALM \"PING and SETTINGS: expected"))
        << ToString(events.back());
    OutputBuffer out;
    server.DataToSend(SIZE_MAX, &out);
    EXPECT_TRUE(DecodeFrameText(Role::kServer, out.Flatten()).back().starts_with("GOAWAY last=0 ENHANCE_YOUR_CALM"));
    EXPECT_TRUE(server.IsFinished());
  }
}

TEST(W35Flood, RapidResetsEndTheConnectionBeyondTheBurst) {
  H2Options options = ServerOptions();
  options.resets = {20, 1};
  std::string frames;
  for (int id = 1; id < 100; id += 2) frames += Request(id) + "\nRST_STREAM " + std::to_string(id) + " CANCEL\n";
  H2Connection server(options);
  server.InitiateConnection();
  std::vector<H2Event> events;
  server.ReceiveData(Frames("PREFACE\nSETTINGS\n" + frames), &events);
  EXPECT_TRUE(
      ToString(events.back()).starts_with("ConnectionError ENHANCE_YOUR_CALM \"RST_STREAM: expected at most 20"))
      << ToString(events.back());
}

TEST(W35Flood, ThousandCancelledCallsAreOrdinaryIfAsManyAreAnswered) {
  H2Connection server(ServerOptions());
  server.InitiateConnection();
  std::vector<H2Event> events;
  server.ReceiveData(Frames("PREFACE\nSETTINGS\n"), &events);
  for (int id = 1; id < 8000; id += 4) {
    events.clear();
    server.ReceiveData(Frames(Request(id)), &events);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_TRUE(server.SendResponseHeaders(id, 200, {}, EndStream::kYes).ok());
    OutputBuffer out;
    server.DataToSend(SIZE_MAX, &out);
    server.RemoveStream(id);
    events.clear();
    server.ReceiveData(Frames(Request(id + 2) + "\nRST_STREAM " + std::to_string(id + 2) + " CANCEL"), &events);
    ASSERT_EQ(events.size(), 2u);
    server.RemoveStream(id + 2);
  }
  EXPECT_EQ(server.ActiveStreamCount(), 0u);
}

TEST(W35Flood, APeerThatCausesResetsAndDoesNotReadIsShutOut) {
  H2Options options = ServerOptions();
  options.max_concurrent_streams = 0x7fffffff;
  H2Connection server(options);
  server.InitiateConnection();
  std::vector<H2Event> events;
  server.ReceiveData(Frames("PREFACE\nSETTINGS\n"), &events);
  bool ended = false;
  for (int id = 1; id < 100000 && !ended; id += 2) {
    events.clear();
    server.ReceiveData(Frames("HEADERS " + std::to_string(id) + " END_STREAM a=b"), &events);
    ended = !events.empty() && std::holds_alternative<H2ConnectionError>(events.back());
  }
  EXPECT_TRUE(ended);
}

// What the peer must not do, and what comes of it.
struct Violation {
  const char* frames;
  const char* error;  // beginning of the event
};

TEST(ConnectionErrorTest, ViolationsEndTheConnectionWithTheirCodeInTheSameRead) {
  const Violation violations[] = {
      {"DATA 0 \"x\"", "PROTOCOL_ERROR \"DATA: stream_id == 0\""},
      {"HEADERS 0 a=b", "PROTOCOL_ERROR "},
      {"HEADERS 2 a=b", "PROTOCOL_ERROR "},
      {"FRAME type=0x0 stream=1 length=16385", "FRAME_SIZE_ERROR \"too large frame size\""},
      {"FRAME type=0x4 length=5 hex:0000000000", "FRAME_SIZE_ERROR "},
      {"FRAME type=0x4 flags=1 hex:000100000000", "FRAME_SIZE_ERROR "},
      {"FRAME type=0x4 stream=1", "PROTOCOL_ERROR "},
      {"SETTINGS ENABLE_PUSH=2", "PROTOCOL_ERROR "},
      {"SETTINGS INITIAL_WINDOW_SIZE=2147483648", "FLOW_CONTROL_ERROR "},
      {"SETTINGS MAX_FRAME_SIZE=16383", "PROTOCOL_ERROR "},
      {"SETTINGS ACK", "PROTOCOL_ERROR "},
      {"FRAME type=0x6 hex:00", "FRAME_SIZE_ERROR "},
      {"FRAME type=0x6 stream=1 hex:0000000000000000", "PROTOCOL_ERROR "},
      {"RST_STREAM 1 CANCEL", "PROTOCOL_ERROR "},
      {"FRAME type=0x3 stream=1 hex:000000", "FRAME_SIZE_ERROR "},
      {"WINDOW_UPDATE 0 0", "PROTOCOL_ERROR "},
      {"WINDOW_UPDATE 1 1", "PROTOCOL_ERROR "},
      {"DATA 1 \"x\"", "PROTOCOL_ERROR "},
      {"CONTINUATION 1 END_HEADERS a=b", "PROTOCOL_ERROR "},
      {"HEADERS 1 NO_END_HEADERS a=b\nDATA 1 \"x\"", "PROTOCOL_ERROR "},
      {"FRAME type=0x0 flags=0x8 stream=1", "FRAME_SIZE_ERROR "},
      {"FRAME type=0x1 flags=0x5 stream=1 hex:ff8000", "COMPRESSION_ERROR "},
      {"FRAME type=0x5 flags=0x4 stream=1 hex:00000002", "PROTOCOL_ERROR "},
  };
  for (const Violation& violation : violations) {
    SCOPED_TRACE(violation.frames);
    FrameScript(ServerOptions())
        .Handshake()
        .Peer(violation.frames)
        .ExpectEvents({"ConnectionError " + std::string(violation.error) + "..."})
        .ExpectFinished(false)
        .Peer(Request(7))  // nothing is read any more
        .ExpectEvents({})
        .ExpectWritten({"GOAWAY last=..."})
        .ExpectFinished(true)
        .ExpectWritten({})
        .Run();
  }
}

TEST(ConnectionErrorTest, NoEventFollowsIt) {
  H2Options options = ClientOptions();
  options.send_queue_bytes_max = 4096;
  FrameScript(options)
      .Do([](H2Connection& c) {
        c.InitiateConnection();
        const HeaderList head = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}};
        ASSERT_TRUE(c.SendRequestHeaders(head, EndStream::kNo).ok());
        ASSERT_TRUE(c.SendRequestHeaders(head, EndStream::kNo).ok());
        EXPECT_EQ(c.SendData(1, std::string(5000, 'x'), EndStream::kNo), 4096u);
        // The second head is void now, so the drain pulls the body behind it: the stream has room again, and
        // H2WindowUpdated would say so with the next output.
        c.RemoveStream(3);
        c.BeginDrain();
      })
      .Peer("PING 0000000000000000")
      .ExpectEvents({"ConnectionError PROTOCOL_ERROR \"SETTINGS expected\""})
      .Do([](H2Connection& c) {
        OutputBuffer out;
        std::vector<H2Event> events;
        c.DataToSend(SIZE_MAX, &out, &events);
        EXPECT_GT(out.size(), 4096u);
        EXPECT_TRUE(events.empty()) << ToString(events.front());
      })
      .Run();
}

TEST(ConnectionErrorTest, FramesAfterTheEndOfAStreamEndTheConnection) {
  for (const char* frame : {"DATA 1 \"x\"", "HEADERS 1 END_STREAM a=b"}) {
    FrameScript(ServerOptions())
        .Handshake()
        .Peer(Request(1) + "\n" + frame)
        .ExpectEvents({RequestEvent(1), "ConnectionError STREAM_CLOSED ..."})
        .ExpectWritten({"GOAWAY last=1 STREAM_CLOSED..."})
        .Run();
  }
}

TEST(ConnectionErrorTest, MoreStreamsThanAnnouncedEndTheConnection) {
  H2Options options = ServerOptions();
  options.max_concurrent_streams = 1;
  FrameScript(options)
      .Handshake()
      .Peer(Request(1) + "\n" + Request(3))
      .ExpectEvents({RequestEvent(1),
                     "ConnectionError PROTOCOL_ERROR \"HEADERS: expected at most 1 streams at a time "
                     "(max_concurrent_streams), got one more\""})
      .Run();
}

TEST(ConnectionErrorTest, APushIsAConnectionErrorForAClient) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do([](H2Connection& c) {
        EXPECT_TRUE(
            c.SendRequestHeaders({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, EndStream::kYes).ok());
      })
      .Drop()
      .Peer("FRAME type=0x5 flags=0x4 stream=1 hex:00000002828684")
      .ExpectEvents({"ConnectionError PROTOCOL_ERROR ..."})
      .Run();
}

TEST(W34PriorKnowledge, AnHttp1ClientIsToldWhatWasExpected) {
  FrameScript(ServerOptions())
      .Do([](H2Connection& c) { c.InitiateConnection(); })
      .Peer("BYTES \"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\"")
      .ExpectEvents(
          {"ConnectionError PROTOCOL_ERROR \"client's preface: expected \\\"PRI * HTTP/2.0\\\\r\\\\n\\\\r\\\\nSM"
           "\\\\r\\\\n\\\\r\\\\n\\\", got \\\"GET / HTTP/1.1\\\\r\\\\n\\\": the client does not speak HTTP/2 "
           "with prior knowledge\""})
      .ExpectWritten({"FRAME type=0x50 flags=0x2f ..."})  // "HTTP/1.1 400 ..." as a frame: nothing before it
      .ExpectFinished(true)
      .Run();
}

TEST(W34PriorKnowledge, ATlsHandshakeIsRecognised) {
  FrameScript(ServerOptions())
      .Peer("BYTES \"\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\\x03\\x03abcdefgh\"")
      .ExpectEvents(
          {"ConnectionError PROTOCOL_ERROR \"client's preface: expected \\\"PRI * HTTP/2.0\\\\r\\\\n\\\\r\\\\nSM"
           "\\\\r\\\\n\\\\r\\\\n\\\", got a TLS handshake ..."})
      .Run();
}

TEST(W34PriorKnowledge, AMagicThatIsAlmostRightIsWrong) {
  FrameScript(ServerOptions())
      .Peer("BYTES \"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\nX\\r\\n\"")
      .ExpectEvents({"ConnectionError PROTOCOL_ERROR ..."})
      .Run();
}

TEST(W34PriorKnowledge, AnHttp1ServerIsRecognised) {
  FrameScript(ClientOptions())
      .Do([](H2Connection& c) { c.InitiateConnection(); })
      .Peer("BYTES \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"")
      .ExpectEvents({"ConnectionError PROTOCOL_ERROR \"server's preface: expected an HTTP/2 SETTINGS frame, got "
                     "\\\"HTTP/1.1 400 Bad Request\\\": this server speaks HTTP/1; check the port\""})
      .ExpectFinished(false)
      .Run();
}

TEST(PrefaceTest, ATlsServerIsRecognised) {
  FrameScript(ClientOptions())
      .Do([](H2Connection& c) { c.InitiateConnection(); })
      .Peer("BYTES \"\\x15\\x03\\x03\\x00\\x02\\x02\\x46\"")
      .ExpectEvents(
          {"ConnectionError PROTOCOL_ERROR \"server's preface: expected an HTTP/2 SETTINGS frame, got a TLS "
           "alert (\\\"\\\\x15\\\\x03\\\\x03\\\\x00\\\\x02\\\\x02F\\\"): this port speaks TLS; use TLS on both "
           "sides or on none\""})
      .ExpectFinished(false)
      .Run();
}

TEST(W34PriorKnowledge, TheFirstFrameMustBeSettings) {
  FrameScript(ServerOptions())
      .Peer("PREFACE\n" + Request(1))
      .ExpectEvents({"ConnectionError PROTOCOL_ERROR ..."})
      .Run();
}

}  // namespace
}  // namespace weir::transport
