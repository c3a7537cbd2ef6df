// Windows in both directions: what we may send, what we give back.
#include <gtest/gtest.h>

#include <string>

#include "weir/tests/support/frame_script.h"

namespace weir::transport {
namespace {

using ::weir::testing::ClientOptions;
using ::weir::testing::FrameScript;
using ::weir::testing::ServerOptions;

constexpr char kEndedRequest[] = "HEADERS 1 END_STREAM :method=POST :scheme=http :path=/a :authority=x";
constexpr char kEndedRequest3[] = "HEADERS 3 END_STREAM :method=POST :scheme=http :path=/a :authority=x";
constexpr char kRequest[] = "HEADERS 1 :method=POST :scheme=http :path=/a :authority=x";
constexpr char kRequest3[] = "HEADERS 3 :method=POST :scheme=http :path=/a :authority=x";
constexpr char kRequestEvent[] = "Request 1 :method=POST :scheme=http :path=/a :authority=x";

std::string Zeros(size_t size) { return std::string(size, '\0'); }
void Answer(H2Connection& c) { EXPECT_TRUE(c.SendResponseHeaders(1, 200, {}, EndStream::kNo).ok()); }
void Answer3(H2Connection& c) { EXPECT_TRUE(c.SendResponseHeaders(3, 200, {}, EndStream::kNo).ok()); }

// A server whose stream windows are as small as the protocol's own.
H2Options SmallWindows() {
  H2Options options = ServerOptions();
  options.stream_window_bytes = 1000;
  options.connection_window_bytes = 65535;
  return options;
}

// ---- sending -------------------------------------------------------------------------------------------------------

TEST(SendWindowTest, SendDataAcceptsOnlyWhatTheStreamsWindowAllows) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=10")
      .Peer(kEndedRequest)
      .Do(Answer)
      .Drop()
      .ExpectWindow(1, 10)
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.SendData(1, "0123456789abc", EndStream::kYes), 10u);
        EXPECT_EQ(c.SendData(1, "abc", EndStream::kYes), 0u);
      })
      .ExpectWindow(1, 0)
      .ExpectWritten({"DATA 1 \"0123456789\""})
      .ExpectEvents({})  // drained, but the window is as closed as before
      .ExpectWindow(1, 0)
      .Peer("WINDOW_UPDATE 1 5")
      .ExpectEvents({"WindowUpdated 1"})
      .ExpectWindow(1, 5)
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, "abc", EndStream::kYes), 3u); })
      .ExpectWritten({"DATA 1 END_STREAM \"abc\""})
      .Run();
}

TEST(SendWindowTest, QueuedBytesOfAllStreamsCountAgainstTheConnectionsWindow) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=100000")
      .Peer(std::string(kEndedRequest) + "\n" + kEndedRequest3)
      .Do(Answer)
      .Do(Answer3)
      .Drop()
      .ExpectWindow(1, 65535)
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, Zeros(40000), EndStream::kNo), 40000u); })
      .ExpectWindow(3, 25535)
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(3, Zeros(30000), EndStream::kNo), 25535u); })
      .ExpectWindow(1, 0)
      .ExpectWindow(3, 0)
      .Drop()
      .Peer("WINDOW_UPDATE 0 10")
      .ExpectEvents({"WindowUpdated 0"})
      .ExpectWindow(3, 10)
      .Run();
}

TEST(SendWindowTest, DroppingAStreamsQueueGivesItsShareOfTheConnectionBack) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=100000")
      .Peer(std::string(kEndedRequest) + "\n" + kEndedRequest3)
      .Do(Answer)
      .Do(Answer3)
      .Drop()
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.SendData(1, Zeros(65535), EndStream::kNo), 65535u);
        EXPECT_EQ(c.SendData(3, "x", EndStream::kNo), 0u);
        c.ResetStream(1, ErrorCode::kCancel);
      })
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectEvents({"WindowUpdated 0"})
      .ExpectWindow(3, 65535)
      .Run();
}

TEST(SendWindowTest, TheQueueLimitBoundsWhatIsAcceptedAndDrainingItIsAnEvent) {
  for (size_t size : {999, 1000, 1001}) {
    H2Options options = ServerOptions();
    options.send_queue_bytes_max = 1000;
    FrameScript script(options);
    script.Handshake().Peer(kEndedRequest).Do(Answer).Drop().ExpectWindow(1, 1000).Do([size](H2Connection& c) {
      EXPECT_EQ(c.SendData(1, Zeros(size), EndStream::kNo), std::min<size_t>(size, 1000));
    });
    script.ExpectEvents({}).ExpectWritten({"DATA 1 zeros:" + std::to_string(std::min<size_t>(size, 1000))});
    if (size > 1000) {
      script.ExpectEvents({"WindowUpdated 1"});
    } else {
      script.ExpectEvents({});
    }
    script.ExpectWindow(1, 1000).Run();
  }
}

TEST(SendWindowTest, ABodyByReferenceIsQueuedWholeWhileLittleIsQueued) {
  for (const size_t queued : {2999, 3000, 3001}) {
    H2Options options = ServerOptions();
    options.shared_queue_bytes_max = 3000;
    FrameScript(options)
        .Handshake()
        .Peer(kEndedRequest)
        .Do(Answer)
        .Drop()
        .Do([queued](H2Connection& c) {
          EXPECT_EQ(c.SendData(1, SharedBytes::Of(Zeros(queued)), EndStream::kNo), queued);
          EXPECT_EQ(c.SendData(1, SharedBytes::Of(Zeros(5000)), EndStream::kNo), queued < 3000 ? 5000u : 0u);
        })
        .ExpectWritten({"DATA 1 zeros:" + std::to_string(queued + (queued < 3000 ? 5000 : 0))})
        .ExpectEvents(queued < 3000 ? std::vector<std::string>() : std::vector<std::string>({"WindowUpdated 1"}))
        .Run();
  }
}

TEST(SendWindowTest, AReferenceThatIsCopiedKeepsToTheLimitOfCopies) {
  H2Options options = ServerOptions();
  options.send_queue_bytes_max = 100;
  FrameScript(options)
      .Handshake()
      .Peer(kEndedRequest)
      .Do(Answer)
      .Drop()
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, SharedBytes::Of(Zeros(101)), EndStream::kNo), 100u); })
      .ExpectWritten({"DATA 1 zeros:100"})
      .Run();
}

TEST(SendWindowTest, ABodyByReferenceKeepsToTheWindows) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=100")
      .Peer(kEndedRequest)
      .Do(Answer)
      .Drop()
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.SendData(1, SharedBytes::Of(Zeros(101)), EndStream::kNo), 100u);
        EXPECT_EQ(c.SendData(1, SharedBytes::Of(Zeros(1)), EndStream::kNo), 0u);
      })
      .ExpectWritten({"DATA 1 zeros:100"})
      .Run();
}

TEST(SendWindowTest, AShrunkenWindowIsZeroNotNegativeAndNothingIsLost) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=100")
      .Peer(kEndedRequest)
      .Do(Answer)
      .Drop()
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, Zeros(60), EndStream::kNo), 60u); })
      .ExpectWritten({"DATA 1 zeros:60"})
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, Zeros(40), EndStream::kYes), 40u); })
      .Peer("SETTINGS INITIAL_WINDOW_SIZE=10")
      .ExpectEvents({"Settings INITIAL_WINDOW_SIZE=10", "WindowUpdated 0"})
      .ExpectWindow(1, 0)
      .ExpectWritten({"SETTINGS ACK"})  // the window is -50: the queue has to wait
      .Peer("WINDOW_UPDATE 1 50")
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 1 40")
      .ExpectWritten({"DATA 1 END_STREAM zeros:40"})
      .Run();
}

TEST(SendWindowTest, TrailersNeedNoWindow) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=10")
      .Peer(kEndedRequest)
      .Do(Answer)
      .Do([](H2Connection& c) { EXPECT_EQ(c.SendData(1, Zeros(10), EndStream::kNo), 10u); })
      .Drop()
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendTrailers(1, {{"grpc-status", "0"}}).ok());
      })
      .ExpectWritten({"HEADERS 1 END_STREAM grpc-status=0"})
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .Run();
}

TEST(SendWindowTest, TrailersOfAStreamThatSentNothingNeedNoWindowEither) {
  FrameScript(ServerOptions())
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(kRequest)
      .Do(Answer)
      .Do([](H2Connection& c) {
        EXPECT_TRUE(c.SendTrailers(1, {{"grpc-status", "0"}}).ok());
        c.ResetStreamAfterEnd(1, ErrorCode::kNoError);
      })
      .ExpectWritten({"HEADERS 1 :status=200", "HEADERS 1 END_STREAM grpc-status=0", "RST_STREAM 1 NO_ERROR"})
      .Peer("WINDOW_UPDATE 1 100")
      .ExpectWritten({})
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectStreams(0)
      .Run();
}

TEST(SendWindowTest, ARequestsWindowIsTheInitialOneUntilItsHeadHasLeft) {
  FrameScript(ClientOptions())
      .Handshake("INITIAL_WINDOW_SIZE=7")
      .Do([](H2Connection& c) {
        EXPECT_TRUE(
            c.SendRequestHeaders({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}}, EndStream::kNo).ok());
        EXPECT_EQ(c.LocalFlowControlWindow(1), 7u);
        EXPECT_EQ(c.SendData(1, "0123456789", EndStream::kYes), 7u);
        EXPECT_EQ(c.LocalFlowControlWindow(1), 0u);
      })
      .ExpectWritten({"HEADERS 1 :method=POST :scheme=http :path=/", "DATA 1 \"0123456\""})
      .Run();
}

TEST(SendWindowTest, WindowUpdatesOfStreamsThatSendNoMoreAreNoEvents) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(kEndedRequest)
      .Do([](H2Connection& c) { EXPECT_TRUE(c.SendResponseHeaders(1, 200, {}, EndStream::kYes).ok()); })
      .Peer("WINDOW_UPDATE 1 5")
      .ExpectEvents({std::string(kRequestEvent) + " end"})
      .Run();
}

TEST(SendWindowTest, AStreamWindowOverflowResetsTheStream) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(std::string(kRequest) + "\nWINDOW_UPDATE 1 2147483647")
      .ExpectEvents({kRequestEvent, "Reset 1 FLOW_CONTROL_ERROR by local"})
      .ExpectWritten({"RST_STREAM 1 FLOW_CONTROL_ERROR"})
      .Run();
}

// Not that of the SETTINGS behind it, with which it may come in one piece.
TEST(SendWindowTest, AStreamWindowOverflowBeforeSettingsResetsTheStream) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer(std::string(kRequest) + "\nWINDOW_UPDATE 1 2147483647\nSETTINGS MAX_FRAME_SIZE=16384")
      .ExpectEvents({kRequestEvent, "Reset 1 FLOW_CONTROL_ERROR by local", "..."})
      .ExpectWritten({"RST_STREAM 1 FLOW_CONTROL_ERROR", "SETTINGS ACK"})
      .Run();
}

TEST(SendWindowTest, AConnectionWindowOverflowEndsTheConnection) {
  FrameScript(ServerOptions())
      .Handshake()
      .Peer("WINDOW_UPDATE 0 2147483647")
      .ExpectEvents({"ConnectionError FLOW_CONTROL_ERROR ..."})
      .ExpectWritten({"GOAWAY last=0 FLOW_CONTROL_ERROR..."})
      .ExpectFinished(true)
      .Run();
}

// ---- receiving -----------------------------------------------------------------------------------------------------

// All that is received waits for the application with the connection's window of 65535 octets, too.
H2Options HoldingNothing() {
  H2Options options = ServerOptions();
  options.connection_window_bytes = 65535;
  options.held_bytes_max = 0;
  return options;
}

TEST(ReceiveWindowTest, NothingIsReturnedBeforeTheApplicationHasTakenIt) {
  FrameScript(SmallWindows())
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:1000")
      .ExpectWritten({})
      .Do([](H2Connection& c) { c.ConsumeData(1, 499); })
      .ExpectWritten({})
      .Do([](H2Connection& c) { c.ConsumeData(1, 1); })
      .ExpectWritten({"WINDOW_UPDATE 1 500"})
      .Do([](H2Connection& c) { c.ConsumeData(1, 5000); })  // more than is held: only what is held counts
      .ExpectWritten({"WINDOW_UPDATE 1 500"})
      .Run();
}

TEST(ReceiveWindowTest, MoreThanTheStreamsWindowResetsTheStream) {
  FrameScript(SmallWindows())
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:1000")
      .Drop()
      .Peer("DATA 1 \"x\"")
      .ExpectEvents({"Body 1 \"x\" more", "Reset 1 FLOW_CONTROL_ERROR by local"})
      .ExpectWritten({"RST_STREAM 1 FLOW_CONTROL_ERROR"})
      .Run();
}

TEST(ReceiveWindowTest, MoreThanTheConnectionsWindowEndsTheConnection) {
  FrameScript(HoldingNothing())
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:16384\nDATA 1 zeros:16384\nDATA 1 zeros:16384\nDATA 1 zeros:16383")
      .Drop()
      .Peer("DATA 1 \"x\"")
      .ExpectEvents({"ConnectionError FLOW_CONTROL_ERROR ..."})
      .ExpectFinished(false)
      .ExpectWritten({"GOAWAY last=1 FLOW_CONTROL_ERROR..."})
      .ExpectFinished(true)
      .Run();
}

TEST(ReceiveWindowTest, PaddingIsReturnedByItself) {
  FrameScript(SmallWindows())
      .Handshake()
      // 4 * (1 + 1 + 249) octets: each frame holds one octet of data, which nobody has consumed yet.
      .Peer(std::string(kRequest) + "\nDATA 1 padded=249 \"a\"\nDATA 1 padded=249 \"b\"\nDATA 1 padded=248 \"c\"")
      .ExpectWritten({"WINDOW_UPDATE 1 500"})
      .Run();
}

TEST(ReceiveWindowTest, AfterTheEndOnlyTheConnectionsWindowIsReturned) {
  FrameScript(SmallWindows())
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 END_STREAM zeros:1000")
      .Do([](H2Connection& c) { c.ConsumeData(1, 1000); })
      .ExpectWritten({})
      .Run();
}

TEST(ReceiveWindowTest, BytesThatWaitForTheApplicationReturnToTheConnectionsWindowAlone) {
  H2Options options = ServerOptions();
  options.connection_window_bytes = 65535;
  FrameScript(options)
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:16384\nDATA 1 zeros:16384")
      .ExpectWritten({"WINDOW_UPDATE 0 3276..."})
      .Do([](H2Connection& c) { c.ConsumeData(1, 32768); })
      .ExpectWritten({})  // of the stream's 256 KiB not half; of the connection's nothing
      .Run();
}

TEST(ReceiveWindowTest, WhatIsWithheldReturnsToTheConnectionsWindowAloneUntilTheStreamIsReopened) {
  H2Options options = HoldingNothing();
  options.stream_window_bytes = 32768;
  FrameScript(options)
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:16384\nDATA 1 zeros:16384")
      .ExpectWritten({})
      .Do([](H2Connection& c) { c.WithholdData(1, 32768); })
      .ExpectWritten({"WINDOW_UPDATE 0 32768"})
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.ReceiveWindow(1), 0u);
        c.ReopenStream(1, 32768);
      })
      .ExpectWritten({"WINDOW_UPDATE 1 32768"})
      .Do([](H2Connection& c) { EXPECT_EQ(c.ReceiveWindow(1), 32768u); })
      .Run();
}

// RFC 9113 section 6.9.2: "A change to SETTINGS_INITIAL_WINDOW_SIZE can cause the available space in a flow-control
// window to become negative."
TEST(ReceiveWindowTest, WindowsOfOpenStreamsShrinkAndGrowWhenThePeerHasAcknowledgedIt) {
  FrameScript(SmallWindows())
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:400")
      .Do([](H2Connection& c) { c.ResizeStreamWindows(100); })
      .ExpectWritten({"SETTINGS INITIAL_WINDOW_SIZE=100"})
      .Do([](H2Connection& c) { EXPECT_EQ(c.ReceiveWindow(1), 600u); })
      .Peer("SETTINGS ACK")
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.ReceiveWindow(1), 0u);
        c.ConsumeData(1, 400);
      })
      .ExpectWritten({"WINDOW_UPDATE 1 400"})
      .Do([](H2Connection& c) {
        EXPECT_EQ(c.ReceiveWindow(1), 100u);
        c.ResizeStreamWindows(1000);
      })
      .ExpectWritten({"SETTINGS INITIAL_WINDOW_SIZE=1000"})
      .Peer("SETTINGS ACK")
      .Do([](H2Connection& c) { EXPECT_EQ(c.ReceiveWindow(1), 1000u); })
      .Run();
}

TEST(ReceiveWindowTest, BeyondTheLimitOfHeldBytesTheConnectionsWindowWaitsForTheApplication) {
  H2Options options = ServerOptions();
  options.connection_window_bytes = 65535;
  options.held_bytes_max = 16384;
  FrameScript(options)
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:16384\nDATA 1 zeros:16384")
      .ExpectWritten({})  // half of them returned, which is not worth a frame
      .Do([](H2Connection& c) { c.ConsumeData(1, 16382); })
      .ExpectWritten({})
      .Do([](H2Connection& c) { c.ConsumeData(1, 2); })
      .ExpectWritten({"WINDOW_UPDATE 0 32768"})
      .Run();
}

// Fills half of the connection's window (65535) through one stream and lets `end` dispose of it.
void ExpectConnectionWindowReturned(std::function<void(H2Connection&)> end, FrameScript::Lines also_written) {
  H2Options options = HoldingNothing();
  also_written.insert(also_written.begin(), "WINDOW_UPDATE 0 32768");
  FrameScript(options)
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:16384\nDATA 1 zeros:16384")
      .ExpectWritten({})
      .Do(std::move(end))
      .ExpectWritten(std::move(also_written))
      .Run();
}

TEST(ReceiveWindowTest, RemoveStreamReturnsWhatWasNeverConsumed) {
  ExpectConnectionWindowReturned([](H2Connection& c) { c.RemoveStream(1); }, {"RST_STREAM 1 CANCEL"});
}

TEST(ReceiveWindowTest, ResetStreamReturnsWhatWasNeverConsumed) {
  ExpectConnectionWindowReturned([](H2Connection& c) { c.ResetStream(1, ErrorCode::kCancel); },
                                 {"RST_STREAM 1 CANCEL"});
}

TEST(ReceiveWindowTest, ConsumingInPartAndRemovingReturnsEveryByteOnce) {
  ExpectConnectionWindowReturned(
      [](H2Connection& c) {
        c.ConsumeData(1, 10000);
        c.RemoveStream(1);
        c.ConsumeData(1, 22768);
      },
      {"RST_STREAM 1 CANCEL"});
}

TEST(ReceiveWindowTest, APeersResetKeepsHeldBytesUntilTheStreamIsRemoved) {
  FrameScript(HoldingNothing())
      .Handshake()
      .Peer(std::string(kRequest) + "\nDATA 1 zeros:16384\nDATA 1 zeros:16384\nRST_STREAM 1 CANCEL")
      .ExpectWritten({})
      .Do([](H2Connection& c) { c.RemoveStream(1); })
      .ExpectWritten({"WINDOW_UPDATE 0 32768"})
      .Run();
}

TEST(ReceiveWindowTest, DataForAStreamThatWeResetReturnsAtOnce) {
  H2Options options = ServerOptions();
  options.connection_window_bytes = 65535;
  FrameScript(options)
      .Handshake()
      .Peer(std::string(kRequest) + "\n" + kRequest3)
      .Do([](H2Connection& c) { c.ResetStream(1, ErrorCode::kCancel); })
      .Peer("DATA 1 zeros:16384\nDATA 1 zeros:16384")
      .ExpectWritten({"RST_STREAM 1 CANCEL", "WINDOW_UPDATE 0 3276..."})  // half a window is due
      .Peer("DATA 1 zeros:16384\nDATA 1 zeros:16384")
      .ExpectWritten({"WINDOW_UPDATE 0 3276..."})
      .Run();
}

}  // namespace
}  // namespace weir::transport
