// What we send: order, packing, trailers, references, resets, misuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "weir/tests/support/frame_script.h"

namespace weir::transport {
namespace {

using ::testing::HasSubstr;
using ::weir::testing::ClientOptions;
using ::weir::testing::Frames;
using ::weir::testing::FrameScript;
using ::weir::testing::ServerOptions;

const HeaderList kRequest = {{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}, {":authority", "x"}};
constexpr char kRequestLine[] = "HEADERS 1 :method=POST :scheme=http :path=/a :authority=x";
constexpr char kEndedRequestLine[] = "HEADERS 1 END_STREAM :method=POST :scheme=http :path=/a :authority=x";

void Open(H2Connection& connection) { EXPECT_TRUE(connection.SendRequestHeaders(kRequest, EndStream::kNo).ok()); }
void OpenAndEnd(H2Connection& connection) {
  EXPECT_TRUE(connection.SendRequestHeaders(kRequest, EndStream::kYes).ok());
}
void Answer(H2Connection& connection) { EXPECT_TRUE(connection.SendResponseHeaders(1, 200, {}, EndStream::kNo).ok()); }

TEST(SendTest, HeadBodyAndTrailersLeaveInOneDataToSend) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendResponseHeaders(1, 200, {{"content-type", "application/grpc"}}, EndStream::kNo).ok());
        EXPECT_EQ(c.SendData(1, "hello", EndStream::kNo), 5u);
        EXPECT_TRUE(c.SendTrailers(1, {{"grpc-status", "0"}}).ok());
        EXPECT_TRUE(c.HasDataToSend());
      })
      .ExpectWritten({"HEADERS 1 :status=200 content-type=application/grpc", "DATA 1 \"hello\"",
                      "HEADERS 1 END_STREAM grpc-status=0"})
      .Do([](H2Connection& c) {
        EXPECT_FALSE(c.HasDataToSend());
        c.RemoveStream(1);
      })
      .ExpectStreams(0)
      .ExpectWritten({})
      .Run();
}

TEST(SendTest, TrailersNeverOvertakeTheBody) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        EXPECT_EQ(c.SendData(1, std::string(20000, '\0'), EndStream::kNo), 20000u);
        EXPECT_TRUE(c.SendTrailers(1, {{"a", "b"}}).ok());
      })
      .ExpectWritten({"HEADERS 1 :status=200", "DATA 1 zeros:16384", "DATA 1 zeros:3616", "HEADERS 1 END_STREAM a=b"})
      .Run();
}

TEST(SendTest, TrailersWithoutABodyAreNotPrecededByAnEmptyDataFrame) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        EXPECT_TRUE(c.SendTrailers(1, {{"a", "b"}}).ok());
      })
      .ExpectWritten({"HEADERS 1 :status=200", "HEADERS 1 END_STREAM a=b"})
      .Run();
}

TEST(SendTest, TrailersAfterTheBodyHasLeftNeedNoEmptyDataFrameEither) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do(Answer)
      .ExpectWritten({"HEADERS 1 :status=200"})
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, "x", EndStream::kNo), 1u); })
      .ExpectWritten({"DATA 1 \"x\""})
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendTrailers(1, {{"a", "b"}}).ok());
      })
      .ExpectWritten({"HEADERS 1 END_STREAM a=b"})
      .Run();
}

TEST(SendTest, AnEmptyLastPieceIsAnEmptyDataFrameWithEndStream) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do(Open)
      .ExpectWritten({kRequestLine})
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, std::string_view(), EndStream::kYes), 0u); })
      .ExpectWritten({"DATA 1 END_STREAM"})
      .Run();
}

TEST(SendTest, SmallMessagesArePackedIntoFullFrames) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        for (int i = 0; i < 2000; ++i) EXPECT_EQ(c.SendData(1, std::string(10, '\0'), EndStream::kNo), 10u);
      })
      .ExpectWritten({"HEADERS 1 :status=200", "DATA 1 zeros:16384", "DATA 1 zeros:3616"})
      .Run();
}

TEST(SendTest, ALargeSharedBodyLeavesWithoutACopy) {
  H2Connection server(ServerOptions());
  std::vector<H2Event> events;
  server.ReceiveData(Frames("PREFACE\nSETTINGS\n" + std::string(kEndedRequestLine)), &events);
  Answer(server);
  const SharedBytes body = SharedBytes::Of(std::string(20000, 'x'));
  EXPECT_EQ(server.SendData(1, body, EndStream::kYes), 20000u);
  OutputBuffer out;
  server.DataToSend(SIZE_MAX, &out);
  std::array<std::string_view, 8> pieces;
  ASSERT_EQ(out.Gather(pieces), 4u);
  EXPECT_EQ(pieces[1].data(), body.bytes.data());
  EXPECT_EQ(pieces[1].size(), 16384u);
  EXPECT_EQ(pieces[3].data(), body.bytes.data() + 16384);
  EXPECT_EQ(pieces[3].size(), 3616u);
  EXPECT_GT(body.owner.use_count(), 1);
  out.Clear();
  EXPECT_EQ(body.owner.use_count(), 1);
}

TEST(SendTest, ReservedBytesAreSentAsTheCallerFillsThem) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        for (const char letter : {'a', 'b'}) std::fill_n(c.ReserveData(1, 3), 3, letter);
        EXPECT_EQ(c.SendData(1, "c", EndStream::kYes), 1u);
      })
      .ExpectWritten({"HEADERS 1 :status=200", "DATA 1 END_STREAM \"aaabbbc\""})
      .Run();
}

TEST(SendTest, NothingIsReservedThatFlowControlDoesNotTakeWhole) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=10")
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.ReserveData(1, 1), nullptr) << "before the head";
        EXPECT_EQ(c.ReserveData(3, 1), nullptr) << "unknown stream";
        Answer(c);
        EXPECT_EQ(c.ReserveData(1, 11), nullptr);
        std::fill_n(c.ReserveData(1, 10), 10, 'a');
        EXPECT_EQ(c.ReserveData(1, 1), nullptr);
      })
      .ExpectWritten({"HEADERS 1 :status=200", "DATA 1 \"aaaaaaaaaa\""})
      .Run();
}

TEST(SendTest, DataToSendStopsAboutWhereItIsTold) {
  H2Connection server(ServerOptions());
  std::vector<H2Event> events;
  server.InitiateConnection();
  server.ReceiveData(Frames("PREFACE\nSETTINGS\n" + std::string(kEndedRequestLine)), &events);
  OutputBuffer out;
  server.DataToSend(SIZE_MAX, &out);
  out.Clear();
  Answer(server);
  EXPECT_EQ(server.SendData(1, std::string(60000, 'x'), EndStream::kYes), 60000u);
  EXPECT_EQ(server.DataToSend(0, &out), 0u);
  size_t total = 0;
  int pulls = 0;
  while (server.HasDataToSend()) {
    const size_t added = server.DataToSend(20000, &out);
    EXPECT_LE(added, 20000u + 16384 + 9);
    total += added;
    ++pulls;
  }
  EXPECT_EQ(total, out.size());
  EXPECT_GE(total, 60000u + 4 * 9);
  EXPECT_EQ(pulls, 2);
}

TEST(SendTest, AnInterimResponseComesBeforeTheHead) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendResponseHeaders(1, 103, {{"link", "x"}}, EndStream::kNo).ok());
        Answer(c);
        EXPECT_FALSE(c.SendResponseHeaders(1, 100, {}, EndStream::kNo).ok());
      })
      .ExpectWritten({"HEADERS 1 :status=103 link=x", "HEADERS 1 :status=200"})
      .Run();
}

TEST(SendTest, AResetDropsWhatIsQueued) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        EXPECT_EQ(c.SendData(1, "hello", EndStream::kNo), 5u);
        c.ResetStream(1, ErrorCode::kInternalError);
        c.ResetStream(1, ErrorCode::kCancel);
        EXPECT_EQ(c.SendData(1, "more", EndStream::kYes), 0u);
        EXPECT_EQ(c.LocalFlowControlWindow(1), 0u);
      })
      .ExpectWritten({"RST_STREAM 1 INTERNAL_ERROR"})
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .Run();
}

TEST(SendTest, AResetOfAnUnknownStreamIsNothing) {
  FrameScript(ServerOptions())
      .Handshake()
      .Do([](H2Connection& c) {
        c.ResetStream(1, ErrorCode::kCancel);
        c.ResetStreamAfterEnd(1, ErrorCode::kCancel);
        c.RemoveStream(1);
        c.ConsumeData(1, 100);
      })
      .ExpectWritten({})
      .ExpectStreams(0)
      .Run();
}

TEST(SendTest, ARequestThatIsResetBeforeItsHeadLeftLeavesNoTrace) {
  FrameScript(ClientOptions())
      .Handshake("MAX_CONCURRENT_STREAMS=1")
      .Do([](H2Connection& c) {
        Open(c);
        EXPECT_EQ(c.SendData(1, "hello", EndStream::kYes), 5u);
        c.RemoveStream(1);
      })
      .ExpectStreams(0)
      .ExpectWritten({})
      .ExpectEvents({})
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.CanOpenStream());
        EXPECT_TRUE(c.SendRequestHeaders(kRequest, EndStream::kYes).ok());
      })
      .ExpectWritten({"HEADERS 3 END_STREAM :method=POST :scheme=http :path=/a :authority=x"})
      .Run();
}

TEST(SendTest, RemovingAnOpenStreamCancelsIt) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do(OpenAndEnd)
      .Drop()
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Peer("HEADERS 1 :status=200\nDATA 1 END_STREAM \"late\"")
      .ExpectEvents({})
      .Run();
}

TEST(SendTest, RemovingAFinishedStreamLetsItsQueueLeave) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        EXPECT_EQ(c.SendData(1, "bye", EndStream::kYes), 3u);
        c.RemoveStream(1);
      })
      .ExpectStreams(0)
      .ExpectWritten({"HEADERS 1 :status=200", "DATA 1 END_STREAM \"bye\""})
      .Run();
}

TEST(SendTest, ACompleteResponseIsNotCutOffByRemovingTheStreamWhileTheClientTalks) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kRequestLine)
      .Do([](H2Connection& c) {
        Answer(c);
        EXPECT_EQ(c.SendData(1, "bye", EndStream::kYes), 3u);
        c.RemoveStream(1);
      })
      .ExpectWritten({"HEADERS 1 :status=200", "DATA 1 END_STREAM \"bye\"", "RST_STREAM 1 CANCEL"})
      .Run();
}

TEST(SendTest, ResetAfterEndFollowsTheWholeResponse) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kRequestLine)
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendResponseHeaders(1, 200, {{"grpc-status", "12"}}, EndStream::kYes).ok());
        c.ResetStreamAfterEnd(1, ErrorCode::kNoError);
        c.RemoveStream(1);
      })
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 grpc-status=12", "RST_STREAM 1 NO_ERROR"})
      .ExpectStreams(0)
      .Run();
}

TEST(SendTest, ResetAfterEndIsNothingOnceThePeerHasEndedToo) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kRequestLine)
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendResponseHeaders(1, 200, {}, EndStream::kYes).ok());
        c.ResetStreamAfterEnd(1, ErrorCode::kNoError);
      })
      .Peer("DATA 1 END_STREAM")
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200"})
      .Run();
}

TEST(SendTest, ResetAfterEndThatHasAlreadyLeftIsImmediate) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kRequestLine)
      .Do([](H2Connection& c) { EXPECT_TRUE(c.SendResponseHeaders(1, 200, {}, EndStream::kYes).ok()); })
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200"})
      .Do([](H2Connection& c) { c.ResetStreamAfterEnd(1, ErrorCode::kNoError); })
      .ExpectWritten({"RST_STREAM 1 NO_ERROR"})
      .Run();
}

TEST(SendTest, ExtendedConnectNeedsThePeersConsent) {
  const auto connect = [](H2Connection& c) {
    return c
        .SendRequestHeaders(
            {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/chat"}},
            EndStream::kNo)
        .status();
  };
  FrameScript(ClientOptions())
      .Handshake()
      .Do([connect](H2Connection& c) { EXPECT_EQ(connect(c).code(), absl::StatusCode::kFailedPrecondition); })
      .Peer("SETTINGS ENABLE_CONNECT_PROTOCOL=1")
      .Do([connect](H2Connection& c) { EXPECT_TRUE(connect(c).ok()); })
      .ExpectWritten({"SETTINGS ACK", "HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :path=/chat"})
      .Run();
}

TEST(SendTest, OneRequestMoreThanThePeerAllowsIsRefusedHere) {
  FrameScript(ClientOptions())
      .Handshake("MAX_CONCURRENT_STREAMS=2")
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.PeerMaxConcurrentStreams(), 2u);
        Open(c);
        EXPECT_TRUE(c.CanOpenStream());
        Open(c);
        EXPECT_FALSE(c.CanOpenStream());
        EXPECT_EQ(c.SendRequestHeaders(kRequest, EndStream::kYes).status().code(),
                  absl::StatusCode::kResourceExhausted);
        EXPECT_EQ(c.ActiveStreamCount(), 2u);
      })
      .Drop()
      .Peer("HEADERS 1 END_STREAM :status=200\nRST_STREAM 1 NO_ERROR")
      .Do([](H2Connection& c) { EXPECT_TRUE(c.CanOpenStream()); })
      .Run();
}

TEST(SendTest, BeforeThePeersSettingsAHundredStreamsMayBeOpened) {
  H2Connection client(ClientOptions());
  EXPECT_EQ(client.PeerMaxConcurrentStreams(), 100u);
  for (int i = 0; i < 100; ++i) Open(client);
  EXPECT_FALSE(client.CanOpenStream());
  std::vector<H2Event> events;
  client.ReceiveData(Frames("SETTINGS"), &events);
  EXPECT_TRUE(client.CanOpenStream());
}

TEST(SendTest, TheLastStreamIdIsUsedAndNoneAfterIt) {
  H2Options options = ClientOptions();
  options.first_stream_id = 0x7fffffff;
  FrameScript(options)
      .Handshake()
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.CanOpenStream());
        Open(c);
        EXPECT_FALSE(c.CanOpenStream());
        const absl::Status none = c.SendRequestHeaders(kRequest, EndStream::kYes).status();
        EXPECT_EQ(none.code(), absl::StatusCode::kUnavailable);
        EXPECT_EQ(none.message(), "request head: no stream id is left; open the stream on another connection");
      })
      .ExpectWritten({"HEADERS 2147483647 ..."})
      .Run();
}

TEST(SendTest, MisuseIsToldAndSendsNothing) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kRequestLine)
      .Do([](H2Connection& c) {
        using absl::StatusCode;
        EXPECT_EQ(c.SendRequestHeaders(kRequest, EndStream::kNo).status().code(), StatusCode::kFailedPrecondition);
        EXPECT_EQ(c.SendTrailers(1, {}).code(), StatusCode::kFailedPrecondition) << "before the head";
        EXPECT_EQ(c.SendData(1, "x", EndStream::kNo), 0u) << "before the head";
        EXPECT_EQ(c.SendData(3, "x", EndStream::kNo), 0u) << "unknown";
        EXPECT_EQ(c.SendTrailers(3, {}).code(), StatusCode::kNotFound);
        EXPECT_EQ(c.SendResponseHeaders(3, 200, {}, EndStream::kNo).code(), StatusCode::kNotFound);
        EXPECT_EQ(c.SendResponseHeaders(1, 99, {}, EndStream::kNo).code(), StatusCode::kInvalidArgument);
        EXPECT_EQ(c.SendResponseHeaders(1, 101, {}, EndStream::kNo).code(), StatusCode::kInvalidArgument);
        EXPECT_EQ(c.SendResponseHeaders(1, 1000, {}, EndStream::kNo).code(), StatusCode::kInvalidArgument);
        EXPECT_EQ(c.SendResponseHeaders(1, 100, {}, EndStream::kYes).code(), StatusCode::kFailedPrecondition);
        Answer(c);
        EXPECT_EQ(c.SendResponseHeaders(1, 200, {}, EndStream::kNo).code(), StatusCode::kFailedPrecondition);
        EXPECT_TRUE(c.SendTrailers(1, {}).ok());
        EXPECT_EQ(c.SendTrailers(1, {}).code(), StatusCode::kFailedPrecondition);
        EXPECT_EQ(c.SendData(1, "x", EndStream::kYes), 0u) << "after the end";
        EXPECT_EQ(c.LocalFlowControlWindow(1), 0u);
        EXPECT_EQ(c.LocalFlowControlWindow(3), 0u);
        EXPECT_TRUE(c.StreamEnded(3));
        EXPECT_FALSE(c.CanOpenStream());
      })
      .ExpectWritten({"HEADERS 1 :status=200", "HEADERS 1 END_STREAM"})
      .Run();
}

TEST(SendTest, AClientSendsNoResponse) {
  H2Connection client(ClientOptions());
  Open(client);
  EXPECT_EQ(client.SendResponseHeaders(1, 200, {}, EndStream::kNo).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SendTest, FieldsThatHttp2ForbidsAreRefused) {
  H2Connection client(ClientOptions());
  const auto code = [&client](const HeaderList& extra) {
    HeaderList fields = kRequest;
    for (const HeaderView field : extra) fields.Add(field.name, field.value);
    return client.SendRequestHeaders(fields, EndStream::kYes).status();
  };
  for (const HeaderView& bad : std::vector<HeaderView>{{"Upper", "x"},
                                                       {"", "x"},
                                                       {"a b", "x"},
                                                       {"a:b", "x"},
                                                       {"a", "x\n"},
                                                       {"a", " x"},
                                                       {"a", "x\t"},
                                                       {"a", "\x7f"},
                                                       {"connection", "close"},
                                                       {"keep-alive", "1"},
                                                       {"upgrade", "x"},
                                                       {"proxy-connection", "x"},
                                                       {"transfer-encoding", "chunked"},
                                                       {"te", "gzip"},
                                                       {":unknown", "x"},
                                                       {":status", "200"}}) {
    EXPECT_EQ(code({bad}).code(), absl::StatusCode::kInvalidArgument) << bad.name << "=" << bad.value;
  }
  EXPECT_THAT(std::string(code({{"Upper", "x"}}).message()),
              HasSubstr("header field \"Upper\"=\"x\": expected a name"));
  EXPECT_EQ(code({{"a", "b"}, {":path", "/b"}}).code(), absl::StatusCode::kInvalidArgument) << "pseudo after regular";
  EXPECT_EQ(client.SendRequestHeaders({{":method", "GET"}}, EndStream::kYes).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client.SendRequestHeaders({}, EndStream::kYes).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(code({{"te", "trailers"}, {"a", "\xff\x80 \t~"}, {"b", ""}}).ok());
  EXPECT_EQ(client.ActiveStreamCount(), 1u);
}

TEST(SendTest, ABlockAboveThePeersLimitIsRefusedHere) {
  // 4 fields of the request and "a": 5 * 32 octets of overhead.
  const size_t base = kRequest.ListSize() + 1 + 32;
  for (size_t limit : {base + 9, base + 10, base + 11}) {
    FrameScript(ClientOptions())
        .Handshake("MAX_HEADER_LIST_SIZE=" + std::to_string(limit))
        .Do([limit, base](H2Connection& c) {
          HeaderList fields = kRequest;
          fields.Add("a", std::string(10, 'x'));
          EXPECT_EQ(c.SendRequestHeaders(fields, EndStream::kYes).ok(), base + 10 <= limit);
        })
        .Run();
  }
}

TEST(SendTest, ALargeBlockLeavesInContinuationFrames) {
  FrameScript(ClientOptions())
      .Handshake()
      .Do([](H2Connection& c) {
        HeaderList fields = kRequest;
        fields.Add("a", std::string(30000, '{'));  // '{' has no short Huffman code
        EXPECT_TRUE(c.SendRequestHeaders(fields, EndStream::kYes).ok());
      })
      .ExpectWritten({"HEADERS 1 END_STREAM NO_END_HEADERS :method=POST :scheme=http :path=/a :authority=x",
                      "CONTINUATION 1 END_HEADERS a=..."})
      .Run();
}

}  // namespace
}  // namespace weir::transport
