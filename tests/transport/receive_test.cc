// What arrives: requests, responses, bodies, trailers, resets, SETTINGS, PING.
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

constexpr char kHead[] = " :method=POST :scheme=http :path=/echo.Echo/Say :authority=x te=trailers";

std::string Request(StreamId id, const std::string& flags = "") {
  return "HEADERS " + std::to_string(id) + flags + kHead;
}
std::string RequestEvent(StreamId id) { return "Request " + std::to_string(id) + kHead; }

void OpenStream(H2Connection& connection, EndStream end_stream = EndStream::kNo) {
  const auto id =
      connection.SendRequestHeaders({{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}}, end_stream);
  EXPECT_TRUE(id.ok()) << id.status();
}
void OpenAndEndStream(H2Connection& connection) { OpenStream(connection, EndStream::kYes); }

TEST(ReceiveTest, AServersPrefaceAnnouncesItsSettingsAndWindow) {
  FrameScript(ServerOptions())
      .Do([](H2Connection& c) {
        EXPECT_FALSE(c.HasDataToSend());
        c.InitiateConnection();
        EXPECT_FALSE(c.HasDataToSend()) << "the client may speak HTTP/1";
      })
      .Peer("PREFACE")
      .Do([](H2Connection& c) { EXPECT_TRUE(c.HasDataToSend()); })
      .ExpectWritten({"SETTINGS MAX_CONCURRENT_STREAMS=1000 ENABLE_CONNECT_PROTOCOL=1 INITIAL_WINDOW_SIZE=262144 "
                      "MAX_HEADER_LIST_SIZE=16384 NO_RFC7540_PRIORITIES=1",
                      "WINDOW_UPDATE 0 983041"})
      .Do([](H2Connection& c) { EXPECT_FALSE(c.HasDataToSend()); })
      .Run();
}

TEST(ReceiveTest, AClientsPrefaceIsTheMagicAndSettingsWithoutPush) {
  FrameScript(ClientOptions())
      .Do([](H2Connection& c) { c.InitiateConnection(); })
      .ExpectWritten({"PREFACE",
                      "SETTINGS ENABLE_PUSH=0 INITIAL_WINDOW_SIZE=262144 MAX_HEADER_LIST_SIZE=16384 "
                      "NO_RFC7540_PRIORITIES=1",
                      "WINDOW_UPDATE 0 983041"})
      .Run();
}

TEST(ReceiveTest, ExtendedConnectAndWindowsFollowTheOptions) {
  H2Options options = ServerOptions();
  options.extended_connect = false;
  options.max_concurrent_streams = 7;
  options.stream_window_bytes = 65535;
  options.connection_window_bytes = 65535;
  options.header_list_bytes_max = 1000;
  FrameScript(options)
      .Do([](H2Connection& c) { c.InitiateConnection(); })
      .Peer("PREFACE")
      .ExpectWritten({"SETTINGS MAX_CONCURRENT_STREAMS=7 INITIAL_WINDOW_SIZE=65535 MAX_HEADER_LIST_SIZE=1000 "
                      "NO_RFC7540_PRIORITIES=1"})
      .Run();
}

TEST(ReceiveTest, PeerSettingsAreTheFirstEventAndAreAcknowledged) {
  FrameScript(ServerOptions())
      .Do([](H2Connection& c) { c.InitiateConnection(); })
      .Peer("PREFACE\nSETTINGS MAX_FRAME_SIZE=16384 0x1f=7\nSETTINGS ACK")
      .ExpectEvents({"Settings MAX_FRAME_SIZE=16384 0x1f=7", "Settings ACK"})
      .ExpectWritten({"SETTINGS MAX_CONCURRENT_STREAMS=1000 ...", "SETTINGS ACK", "WINDOW_UPDATE 0 983041"})
      .Run();
}

TEST(ReceiveTest, ARequestWithoutBodyIsOneEventWithEnd) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1, " END_STREAM"))
      .ExpectEvents({RequestEvent(1) + " end"})
      .ExpectStreams(1)
      .Do([](H2Connection& c) { EXPECT_TRUE(c.StreamEnded(1)); })
      .ExpectWritten({})
      .Run();
}

TEST(ReceiveTest, ARequestWithBodyIsHeadBodyEnd) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1))
      .ExpectEvents({RequestEvent(1)})
      .Do([](H2Connection& c) { EXPECT_FALSE(c.StreamEnded(1)); })
      .Peer("DATA 1 \"hello \"")
      .ExpectEvents({"Body 1 \"hello \" more"})
      .Peer("DATA 1 END_STREAM \"world\"")
      .ExpectEvents({"Body 1 \"world\" end"})
      .Do([](H2Connection& c) { EXPECT_TRUE(c.StreamEnded(1)); })
      .Run();
}

TEST(ReceiveTest, EndStreamMarksTheLastBodyOfTheSameRead) {
  H2Connection server(ServerOptions());
  std::vector<H2Event> events;
  const std::string bytes = Frames("PREFACE\nSETTINGS\n" + Request(1) + "\nDATA 1 \"abc\"\nDATA 1 END_STREAM\n");
  server.ReceiveData(bytes, &events);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(ToString(events[2]), "Body 1 \"abc\" end");
  const auto& body = std::get<H2BodyReceived>(events[2]).body;
  EXPECT_GE(body.data.data(), bytes.data()) << "bodies are views into the input";
  EXPECT_LE(body.data.data() + body.data.size(), bytes.data() + bytes.size());
  EXPECT_EQ(body.flow_controlled_bytes, 3u);
}

TEST(ReceiveTest, AnEmptyDataFrameWithoutEndGivesNoEvent) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1) + "\nDATA 1")
      .ExpectEvents({RequestEvent(1)})
      .Peer("DATA 1 END_STREAM")
      .ExpectEvents({"Body 1 \"\" end"})
      .Run();
}

TEST(ReceiveTest, BodiesOfInterleavedStreamsKeepTheirOrder) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1) + "\n" + Request(3) + "\nDATA 1 \"a\"\nDATA 3 END_STREAM \"b\"\nDATA 1 END_STREAM \"c\"")
      .ExpectEvents({RequestEvent(1), RequestEvent(3), "Body 1 \"a\" more", "Body 3 \"b\" end", "Body 1 \"c\" end"})
      .ExpectStreams(2)
      .Run();
}

TEST(ReceiveTest, PaddingIsNotPartOfTheBody) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 padded=20" + std::string(kHead) + "\nDATA 1 padded=10 \"x\"\nDATA 1 END_STREAM padded=0 \"y\"")
      .ExpectEvents({RequestEvent(1), "Body 1 \"xy\" end"})
      .Run();
}

TEST(ReceiveTest, RequestTrailersEndTheBody) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1) + "\nDATA 1 \"a\"\nHEADERS 1 END_STREAM checksum=7")
      .ExpectEvents({RequestEvent(1), "Body 1 \"a\" more", "Trailers 1 checksum=7"})
      .Do([](H2Connection& c) { EXPECT_TRUE(c.StreamEnded(1)); })
      .Run();
}

TEST(ReceiveTest, ContinuationFramesMakeOneHead) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(
          "HEADERS 1 END_STREAM NO_END_HEADERS :method=POST :scheme=http\n"
          "CONTINUATION 1 :path=/a :authority=x b=c\nCONTINUATION 1 END_HEADERS d=e")
      .ExpectEvents({"Request 1 :method=POST :scheme=http :path=/a :authority=x b=c d=e end"})
      .Run();
}

TEST(ReceiveTest, BlanksAroundValuesAreStripped) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 END_STREAM :method=GET :scheme=http :path=/ :authority=x a=\" \\tx y\\t \" b=\"  \"")
      .ExpectEvents({"Request 1 :method=GET :scheme=http :path=/ :authority=x a=\"x y\" b=\"\" end"})
      .Run();
}

// Blocks that repeat the last one take a shortcut; what comes out must not show it.
TEST(ReceiveTest, ABlockThatRepeatsTheLastOneWhollyOrInPartIsReadAsIfItWereTheFirst) {
  const std::string head = " :method=POST :scheme=http :path=/echo.Echo/Say :authority=x te=trailers a=1 b=2";
  const std::vector<std::string> heads = {
      head,
      head,
      " :method=POST :scheme=http :path=/echo.Echo/Say :authority=x te=trailers a=9 b=2",  // one other value
      " :method=POST :scheme=http :path=/echo.Echo/Say :authority=x te=trailers a=9 b=2",
      " :method=POST :scheme=http :path=/echo.Echo/Say :authority=x te=trailers",              // the front only
      head,                                                                                    // and more behind it
      " :method=POST :scheme=http :path=/echo.Echo/Say :authority=x te=trailers c=0 a=1 b=2",  // one in between
      head + " b=2",                                                                           // one twice
  };
  FrameScript script(ServerOptions());
  script.Handshake();
  StreamId id = 1;
  for (const std::string& fields : heads) {
    const std::string n = std::to_string(id);
    script.Peer("HEADERS " + n + " END_STREAM" + fields).ExpectEvents({"Request " + n + fields + " end"});
    id += 2;
  }
  script.Run();
}

TEST(ReceiveTest, AFieldThatWasGoodAtItsPlaceIsStillJudgedAmongTheOthers) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 END_STREAM :method=POST :scheme=http :path=/a :authority=x content-length=0")
      .ExpectEvents({"Request 1 :method=POST :scheme=http :path=/a :authority=x content-length=0 end"})
      // A regular field first: the pseudo-header fields that follow stand where they stood before.
      .Peer("HEADERS 3 END_STREAM te=trailers :scheme=http :path=/a :authority=x content-length=0")
      .ExpectEvents({})
      .ExpectWritten({"RST_STREAM 3 PROTOCOL_ERROR"})
      // The same block, but now a body follows that must not be there.
      .Peer("HEADERS 5 :method=POST :scheme=http :path=/a :authority=x content-length=0")
      .ExpectEvents({"Request 5 :method=POST :scheme=http :path=/a :authority=x content-length=0"})
      .Peer("DATA 5 \"x\"")
      .ExpectEvents({"Reset 5 PROTOCOL_ERROR by local"})
      .ExpectWritten({"RST_STREAM 5 PROTOCOL_ERROR"})
      .Run();
}

TEST(ReceiveTest, ABlockThatEndsInTheMiddleOfTheLastOneIsJudgedByWhatItHas) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 END_STREAM :method=POST :scheme=http :path=/a :authority=x")
      .ExpectEvents({"Request 1 :method=POST :scheme=http :path=/a :authority=x end"})
      .Peer("HEADERS 3 END_STREAM :method=POST :scheme=http")
      .ExpectEvents({})
      .ExpectWritten({"RST_STREAM 3 PROTOCOL_ERROR"})
      .Run();
}

TEST(ReceiveTest, ExtendedConnectIsAWebSocketRequestWithAnyProtocol) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :path=/chat :authority=x")
      .ExpectEvents({"WebSocketRequest 1 :method=CONNECT :protocol=websocket :scheme=http :path=/chat :authority=x"})
      .Peer("HEADERS 3 :method=CONNECT :protocol=connect-udp :scheme=http :path=/u :authority=x")
      .ExpectEvents({"WebSocketRequest 3 :method=CONNECT :protocol=connect-udp :scheme=http :path=/u :authority=x"})
      .Peer("DATA 1 END_STREAM \"ping\"")
      .ExpectEvents({"Body 1 \"ping\" end"})
      .Run();
}

TEST(ReceiveTest, PlainConnectIsARequest) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 :method=CONNECT :authority=x:80")
      .ExpectEvents({"Request 1 :method=CONNECT :authority=x:80"})
      .Run();
}

TEST(ReceiveTest, ExtendedConnectThatWasNotAnnouncedIsMalformed) {
  H2Options options = ServerOptions();
  options.extended_connect = false;
  FrameScript(options)
      .Handshake()
      .Peer("HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :path=/chat :authority=x")
      .ExpectEvents({})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectStreams(0)
      .Run();
}

TEST(ReceiveTest, AResponseIsHeadBodyTrailers) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do(OpenAndEndStream)
      .ExpectWritten({"HEADERS 1 END_STREAM :method=POST :scheme=http :path=/a"})
      .Peer("HEADERS 1 :status=200 content-type=application/grpc\nDATA 1 \"hi\"\nHEADERS 1 END_STREAM grpc-status=0")
      .ExpectEvents(
          {"Response 1 :status=200 content-type=application/grpc", "Body 1 \"hi\" more", "Trailers 1 grpc-status=0"})
      .ExpectStreams(1)
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .ExpectWritten({})
      .Run();
}

TEST(ReceiveTest, AResponseHeadMayEndTheStream) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do(OpenAndEndStream)
      .ExpectWritten({"HEADERS 1 END_STREAM ..."})
      .Peer("HEADERS 1 END_STREAM :status=204")
      .ExpectEvents({"Response 1 :status=204 end"})
      .Run();
}

TEST(ReceiveTest, InterimResponsesComeBeforeTheHead) {
  FrameScript script(ClientOptions());
  script.Handshake().Do(OpenAndEndStream).ExpectWritten({"HEADERS 1 END_STREAM ..."});
  script.Peer("HEADERS 1 :status=100\nHEADERS 1 :status=103 link=x\nHEADERS 1 :status=200\nHEADERS 1 END_STREAM a=b")
      .ExpectEvents(
          {"Response 1 :status=100", "Response 1 :status=103 link=x", "Response 1 :status=200", "Trailers 1 a=b"})
      .Run();
}

TEST(ReceiveTest, MoreThanSixteenInterimResponsesResetTheStream) {
  std::string frames;
  std::vector<std::string> events;
  for (int i = 0; i < 17; ++i) {
    frames += "HEADERS 1 :status=100\n";
    events.push_back("Response 1 :status=100");
  }
  events.push_back("Reset 1 ENHANCE_YOUR_CALM by local");
  FrameScript(ClientOptions())
      .Handshake()
      .Do(OpenAndEndStream)
      .ExpectWritten({"HEADERS 1 END_STREAM ..."})
      .Peer(frames)
      .ExpectEvents(events)
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .Run();
}

TEST(ReceiveTest, PeerResetEndsTheStreamWithItsErrorCode) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1) + "\nDATA 1 \"a\"\nRST_STREAM 1 CANCEL")
      .ExpectEvents({RequestEvent(1), "Body 1 \"a\" more", "Reset 1 CANCEL by peer"})
      .ExpectStreams(1)
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.StreamEnded(1));
        EXPECT_EQ(c.SendResponseHeaders(1, 200, {}, EndStream::kYes).code(), absl::StatusCode::kCancelled);
        c.RemoveStream(1);
      })
      .ExpectStreams(0)
      .ExpectWritten({})
      .Run();
}

TEST(ReceiveTest, PeerResetAfterItsEndStillTellsThatTheResponseIsUnwanted) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1, " END_STREAM") + "\nRST_STREAM 1 ERROR_0x1f")
      .ExpectEvents({RequestEvent(1) + " end", "Reset 1 ERROR_0x1f by peer"})
      .Run();
}

TEST(ReceiveTest, AResetOfAFinishedStreamIsNoEvent) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1, " END_STREAM"))
      .Do([](H2Connection& c) { EXPECT_TRUE(c.SendResponseHeaders(1, 204, {}, EndStream::kYes).ok()); })
      .Drop()
      .Peer("RST_STREAM 1 CANCEL\nWINDOW_UPDATE 1 100")
      .ExpectEvents({})
      .Run();
}

TEST(ReceiveTest, ResetNoErrorAfterTheResponseIsToldToAClientThatIsStillSending) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do([](H2Connection& c) { OpenStream(c); })
      .Drop()
      .Peer("HEADERS 1 END_STREAM :status=200\nRST_STREAM 1 NO_ERROR")
      .ExpectEvents({"Response 1 :status=200 end", "Reset 1 NO_ERROR by peer"})
      .Run();
}

TEST(ReceiveTest, AMalformedRequestIsResetWithoutAnEvent) {
  for (const char* fields :
       {":method=GET :scheme=http :authority=x :path=/ UPPER=x", ":method=GET :authority=x :path=/", ":scheme=http a=b",
        ":method=GET :scheme=http :authority=x :path=/ connection=close",
        ":method=GET :scheme=http :authority=x :path=\"\"", ":method=GET :scheme=http :authority=x :path=/ te=gzip",
        ":method=GET :scheme=http :authority=x :path=/ \"\"=x", ":method=GET a=b :scheme=http :authority=x :path=/",
        ":method=GET :scheme=http :authority=x :path=/ a=\"x\\ny\""}) {
    SCOPED_TRACE(fields);
    FrameScript(ServerOptions())
        .Handshake()
        .Peer("HEADERS 1 END_STREAM " + std::string(fields) + "\n" + Request(3, " END_STREAM"))
        .ExpectEvents({RequestEvent(3) + " end"})
        .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
        .ExpectStreams(1)
        .Run();
  }
}

TEST(ReceiveTest, MalformedTrailersResetTheStreamLocally) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1) + "\nHEADERS 1 END_STREAM :path=/again")
      .ExpectEvents({RequestEvent(1), "Reset 1 PROTOCOL_ERROR by local"})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectStreams(1)
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .ExpectWritten({})
      .Run();
}

TEST(ReceiveTest, ABodyThatDiffersFromItsContentLengthResetsTheStreamLocally) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("HEADERS 1 :method=POST :scheme=http :path=/a :authority=x content-length=5\nDATA 1 END_STREAM \"abc\"")
      .ExpectEvents({"Request 1 :method=POST :scheme=http :path=/a :authority=x content-length=5",
                     "Body 1 \"abc\" more", "Reset 1 PROTOCOL_ERROR by local"})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .Run();
}

TEST(ReceiveTest, NoEventComesForAStreamThatWeReset) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1))
      .ExpectEvents({RequestEvent(1)})
      .Do([](H2Connection& c) { c.ResetStream(1, ErrorCode::kCancel); })
      .Peer("DATA 1 \"a\"\nWINDOW_UPDATE 1 5\nHEADERS 1 END_STREAM a=b")
      .ExpectEvents({})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectEvents({})
      .ExpectStreams(1)
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .Run();
}

TEST(ReceiveTest, AStreamRemovedInTheMiddleOfItsTrailersIsForgotten) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(Request(1) + "\nHEADERS 1 END_STREAM NO_END_HEADERS a=b")
      .ExpectEvents({RequestEvent(1)})
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Peer("CONTINUATION 1 END_HEADERS c=d\n" + Request(3, " END_STREAM"))
      .ExpectEvents({RequestEvent(3) + " end"})
      .ExpectStreams(1)
      .Run();
}

TEST(ReceiveTest, PingsAreAnsweredAndOursAreReported) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("PING 0123456789abcdef")
      .ExpectEvents({})
      .ExpectWritten({"PING ACK 0123456789abcdef"})
      .Do([](H2Connection& c) { c.SendPing(0x2a); })
      .ExpectWritten({"PING 000000000000002a"})
      .Peer("PING ACK 000000000000002a")
      .ExpectEvents({"PingAcked 000000000000002a"})
      .Run();
}

TEST(ReceiveTest, UnknownFramesAndPriorityAreIgnored) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("FRAME type=0xbe flags=0xff stream=1 hex:0011\nPRIORITY 5 3:16\n" + Request(1, " END_STREAM"))
      .ExpectEvents({RequestEvent(1) + " end"})
      .ExpectWritten({})
      .Run();
}

}  // namespace
}  // namespace weir::transport
