// How connections end: finished, closed by us, closed by the peer, broken.
#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/transport/io/driver_harness.h"
#include "weir/transport/io/epoll_loop.h"
#include "weir/transport/io/tcp.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;
using weir::testing::FakeLoop;
using weir::testing::IsOk;
using weir::testing::StatusIs;

class ConnectionCloseTest : public ::testing::Test {
 protected:
  void Serve(MemoryStreamOptions options = {}) {
    auto [first, second] = MakeMemoryStreamPair(loop_, options);
    stream_ = second.get();
    server_ = std::make_unique<Endpoint>(loop_, std::move(second), Role::kServer);
    peer_ = std::make_unique<RawPeer>(std::move(first));
  }
  void Connect() {
    auto [first, second] = MakeMemoryStreamPair(loop_);
    stream_ = first.get();
    client_ = std::make_unique<Endpoint>(loop_, std::move(first), Role::kClient);
    peer_ = std::make_unique<RawPeer>(std::move(second));
  }
  void ServeOneOpenStream() {
    Serve();
    peer_->SendFrames(std::string(kClientHello) + "HEADERS 1 :method=POST :scheme=http :path=/ :authority=a\n");
    loop_.RunUntilIdle();
    ASSERT_EQ(server_->connection.ActiveStreamCount(), 1u);
  }

  FakeLoop loop_;
  std::unique_ptr<Endpoint> client_;
  std::unique_ptr<Endpoint> server_;
  std::unique_ptr<RawPeer> peer_;
  MemoryStream* stream_ = nullptr;
};

TEST_F(ConnectionCloseTest, APeerThatClosesWhileStreamsAreOpenIsNamedWithTheirNumber) {
  ServeOneOpenStream();
  peer_->stream.reset();
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed, Optional(StatusIs(absl::StatusCode::kUnavailable,
                                                 "connection to memory:1 closed by peer while 1 stream open")));
}

TEST_F(ConnectionCloseTest, APeerThatClosesWithoutOpenStreamsIsGoodOrder) {
  Serve();
  peer_->SendFrames(kClientHello);
  loop_.RunUntilIdle();
  peer_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed, Optional(IsOk()));
}

TEST_F(ConnectionCloseTest, APeerThatClosesBeforeItSaidAnythingIsAnError) {
  Connect();
  loop_.RunUntilIdle();
  peer_->stream.reset();
  loop_.RunUntilIdle();
  EXPECT_THAT(client_->closed, Optional(StatusIs(absl::StatusCode::kUnavailable,
                                                 "connection to memory:2 closed by peer before it sent anything")));
}

TEST_F(ConnectionCloseTest, AResponseToARequestThatCameWithTheEndIsStillWritten) {
  Serve();
  server_->on_event = [&](H2Event& event) {
    auto* request = std::get_if<H2RequestReceived>(&event);
    if (request == nullptr) return;
    EXPECT_THAT(server_->connection.SendResponseHeaders(request->stream_id, 204, {}, EndStream::kYes), IsOk());
    server_->connection.RemoveStream(request->stream_id);
  };
  peer_->SendFrames(std::string(kClientHello) + std::string(kGet1));
  peer_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_THAT(peer_->Frames(Role::kServer), Contains("HEADERS 1 END_STREAM :status=204"));
  EXPECT_THAT(server_->closed, Optional(IsOk()));
}

TEST_F(ConnectionCloseTest, AnHttp1ClientIsClosedWithAReason) {
  Serve();
  peer_->SendBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  loop_.RunUntilIdle();
  EXPECT_TRUE(peer_->ended);
  EXPECT_THAT(server_->events, Contains(HasSubstr("HTTP/1.1")));
  peer_->stream.reset();
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed,
              Optional(StatusIs(absl::StatusCode::kUnavailable,
                                AllOf(StartsWith("connection to memory:1 failed: "), HasSubstr("HTTP/1.1")))));
}

TEST_F(ConnectionCloseTest, AfterAFatalErrorGoAwayIsWrittenAndThePeerHasTimeToReadIt) {
  ServeOneOpenStream();
  peer_->SendFrames("DATA 0 \"x\"\n");
  loop_.RunUntilIdle();
  EXPECT_THAT(peer_->Frames(Role::kServer), Contains(AllOf(StartsWith("GOAWAY last="), HasSubstr("PROTOCOL_ERROR"))));
  EXPECT_TRUE(peer_->ended) << "our half is closed";
  EXPECT_FALSE(server_->closed) << "closing now would reset the connection under the GOAWAY";
  peer_->SendBytes(std::string(10'000, 'x'));  // still on its way; read and dropped
  loop_.RunUntilIdle();
  EXPECT_EQ(stream_->unread_bytes(), 0u);
  peer_->stream->ShutdownWrite();
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed,
              Optional(StatusIs(absl::StatusCode::kUnavailable, AllOf(StartsWith("connection to memory:1 failed: "),
                                                                      HasSubstr("[PROTOCOL_ERROR(1)]")))));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ConnectionCloseTest, APeerThatNeverClosesIsWaitedForOneSecond) {
  ServeOneOpenStream();
  peer_->SendFrames("DATA 0 \"x\"\n");
  loop_.Advance(milliseconds(999));
  EXPECT_FALSE(server_->closed);
  loop_.Advance(milliseconds(1));
  EXPECT_THAT(server_->closed, Optional(StatusIs(absl::StatusCode::kUnavailable, HasSubstr("PROTOCOL_ERROR"))));
}

TEST_F(ConnectionCloseTest, APeerThatTakesNoOutputIsWaitedForOneSecond) {
  Serve({.capacity_bytes = 10});
  peer_->reading = false;
  peer_->SendFrames(std::string(kClientHello));
  loop_.RunUntilIdle();
  server_->driver->Close(absl::OkStatus());
  loop_.Advance(milliseconds(999));
  EXPECT_FALSE(server_->closed);
  loop_.Advance(milliseconds(1));
  EXPECT_THAT(server_->closed, Optional(StatusIs(absl::StatusCode::kUnavailable,
                                                 AllOf(HasSubstr("took no output"), HasSubstr("bytes lost")))));
}

TEST_F(ConnectionCloseTest, CloseWritesWhatIsQueuedAndReportsItsReasonNotInsideTheCall) {
  ServeOneOpenStream();
  const int batches = server_->batches;
  EXPECT_THAT(server_->connection.SendResponseHeaders(1, 503, {}, EndStream::kYes), IsOk());
  server_->driver->Close(absl::CancelledError("told to stop"));
  server_->driver->Close(absl::InternalError("too late: the first reason counts"));
  EXPECT_FALSE(server_->closed);
  peer_->SendFrames("DATA 1 \"no longer wanted\"\n");
  loop_.RunUntilIdle();
  EXPECT_THAT(peer_->Frames(Role::kServer), Contains("HEADERS 1 END_STREAM :status=503"));
  EXPECT_TRUE(peer_->ended);
  peer_->stream.reset();
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed, Optional(StatusIs(absl::StatusCode::kCancelled, "told to stop")));
  EXPECT_EQ(server_->batches, batches) << "no events after Close";
}

TEST_F(ConnectionCloseTest, AfterAWriteErrorWhatThePeerSaidBeforeIsStillDelivered) {
  Connect();
  peer_->SendFrames("SETTINGS\n");
  client_->Request();
  loop_.RunUntilIdle();
  // In one turn the peer says GOAWAY and goes, and the client writes before it is told that it may read.
  loop_.Post([&] {
    peer_->SendFrames("GOAWAY last=0 NO_ERROR\n");
    peer_->stream.reset();
    client_->Request();
  });
  loop_.RunUntilIdle();
  EXPECT_THAT(client_->events, Contains(HasSubstr("GoAway")));
  ASSERT_TRUE(client_->closed);
  EXPECT_THAT(*client_->closed, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("memory:2")));
}

TEST_F(ConnectionCloseTest, ABrokenStreamEndsTheConnectionWithItsReason) {
  ServeOneOpenStream();
  stream_->FailWith(absl::UnavailableError("read from memory:1: Connection reset by peer"));
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed, Optional(StatusIs(absl::StatusCode::kUnavailable,
                                                 "read from memory:1: Connection reset by peer while 1 stream open")));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ConnectionCloseTest, AWriteErrorEndsTheConnectionWithItsReason) {
  ServeOneOpenStream();
  loop_.Post([&] {
    stream_->FailWith(absl::UnavailableError("write to memory:1: Broken pipe"));
    server_->connection.SendPing(1);
    server_->driver->RequestFlush();
  });
  loop_.RunUntilIdle();
  EXPECT_THAT(server_->closed,
              Optional(StatusIs(absl::StatusCode::kUnavailable, "write to memory:1: Broken pipe while 1 stream open")));
}

TEST_F(ConnectionCloseTest, TheDriverMayBeDestroyedInsideOnClosed) {
  ServeOneOpenStream();
  server_->on_closed = [&] { server_->driver.reset(); };
  peer_->stream.reset();
  loop_.RunUntilIdle();
  EXPECT_TRUE(server_->closed);
  EXPECT_EQ(server_->driver, nullptr);
  EXPECT_TRUE(loop_.idle());
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ConnectionCloseTest, ADestroyedDriverClosesItsStreamAndReportsNothing) {
  ServeOneOpenStream();
  server_->driver.reset();
  loop_.RunUntilIdle();
  EXPECT_TRUE(peer_->ended);
  EXPECT_FALSE(server_->closed);
  EXPECT_EQ(loop_.timers(), 0u);
}

// Over real sockets, because only they know resets. The peer goes on sending while the connection has failed: closing
// the socket at once would make the system answer with a reset, which destroys the GOAWAY in the peer's receive buffer.
TEST(ConnectionCloseTcpTest, TheGoAwayReachesAPeerThatIsStillSending) {
  EpollLoop loop;
  std::unique_ptr<Endpoint> server;
  TcpListener listener(loop, [&](int fd) {
    server = std::make_unique<Endpoint>(loop, MakeTcpStream(loop, fd), Role::kServer);
    server->on_closed = [&] { server->driver.reset(); };  // closes the socket
  });
  ASSERT_THAT(listener.Listen(*SocketAddress::Parse("127.0.0.1:0")), IsOk());
  std::unique_ptr<RawPeer> peer;
  TcpConnector connector(loop, listener.address(), [&](auto stream) {
    ASSERT_THAT(stream, IsOk());
    peer = std::make_unique<RawPeer>(*std::move(stream));
    peer->reading = false;
    peer->SendFrames(std::string(kClientHello) + "DATA 0 \"x\"\n");
    peer->SendBytes(std::string(3'000'000, 'x'));
  });
  connector.Start();
  Timer watchdog(loop, [] { FAIL() << "not closed within 30 s"; });
  watchdog.Set(loop.Now() + std::chrono::seconds(30));
  while (watchdog.IsSet() && !(peer && peer->unsent_bytes() == 0)) loop.RunOnce(std::chrono::seconds(1));
  ASSERT_TRUE(peer);
  peer->StartReading();
  while (watchdog.IsSet() && !peer->ended && peer->error.ok()) loop.RunOnce(std::chrono::seconds(1));
  EXPECT_THAT(peer->error, IsOk());
  EXPECT_THAT(peer->Frames(Role::kServer), Contains(AllOf(StartsWith("GOAWAY last="), HasSubstr("PROTOCOL_ERROR"))));
  peer->stream.reset();
  while (watchdog.IsSet() && !server->closed) loop.RunOnce(std::chrono::seconds(1));
  EXPECT_THAT(server->closed, Optional(StatusIs(absl::StatusCode::kUnavailable)));
}

// Fail at every byte: the connection always ends once, with a reason, and leaves nothing behind.
TEST_F(ConnectionCloseTest, ACutAtEveryByteEndsTheConnectionOnce) {
  std::string bytes;
  ASSERT_THAT(EncodeFrameText(std::string(kClientHello) + std::string(kGet1) +
                                  "HEADERS 3 :method=POST :scheme=http :path=/ :authority=a\nDATA 3 \"abc\"\n",
                              &bytes),
              IsOk());
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    Serve();
    peer_->SendBytes(std::string_view(bytes).substr(0, cut));
    peer_->stream->ShutdownWrite();
    loop_.RunUntilIdle();
    ASSERT_TRUE(server_->closed) << "cut after " << cut << " bytes";
    ASSERT_EQ(loop_.timers(), 0u);
  }
}

TEST_F(ConnectionCloseTest, APeerThatTakesNothingForTheWriteTimeoutIsLost) {
  auto [first, second] = MakeMemoryStreamPair(loop_, {.capacity_bytes = 1000});
  ConnectionDriverOptions options;
  options.write_timeout = std::chrono::seconds(30);
  server_ = std::make_unique<Endpoint>(loop_, std::move(second), Role::kServer, options);
  peer_ = std::make_unique<RawPeer>(std::move(first));
  loop_.RunUntilIdle();
  peer_->reading = false;
  // More answers than the stream holds.
  std::string pings;
  for (int i = 0; i < 90; ++i) pings += "PING 0000000000000000\n";
  peer_->SendFrames(std::string(kClientHello) + pings);
  loop_.RunUntilIdle();
  loop_.Advance(milliseconds(29'999));
  EXPECT_FALSE(server_->closed.has_value());
  // One octet begins the time anew.
  std::array<char, 1> octet;
  EXPECT_EQ(peer_->stream->Read(octet).bytes, 1u);
  loop_.RunUntilIdle();
  loop_.Advance(milliseconds(29'999));
  EXPECT_FALSE(server_->closed.has_value());
  loop_.Advance(milliseconds(1));
  EXPECT_THAT(server_->closed,
              Optional(StatusIs(absl::StatusCode::kUnavailable,
                                "write to memory:1: expected the peer to read, it took nothing for 30 s "
                                "(write_timeout)")));
  EXPECT_EQ(server_->driver->overdue(), ConnectionDriver::Overdue::kWrite);
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ConnectionCloseTest, AWriteTimeoutThatHasPassedUnusedLeavesNoTimer) {
  auto [first, second] = MakeMemoryStreamPair(loop_, {.capacity_bytes = 100});
  ConnectionDriverOptions options;
  options.write_timeout = std::chrono::seconds(30);
  server_ = std::make_unique<Endpoint>(loop_, std::move(second), Role::kServer, options);
  peer_ = std::make_unique<RawPeer>(std::move(first));
  peer_->SendFrames(std::string(kClientHello) + "PING 0000000000000000\n");
  loop_.Advance(std::chrono::minutes(1));
  EXPECT_FALSE(server_->closed.has_value());
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ConnectionCloseTest, AnHttp1ClientIsToldInHttp1AndNothingElse) {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a.B/C HTTP/1.1\r\n", "OPTIONS * HTTP/1.0\r\n"}) {
    Serve();
    loop_.RunUntilIdle();
    EXPECT_EQ(peer_->received, "") << "SETTINGS before the client's preface would be no HTTP/1";
    peer_->SendBytes(request);
    loop_.RunUntilIdle();
    EXPECT_THAT(peer_->received, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    const size_t body = peer_->received.find("\r\n\r\n") + 4;
    const std::string length = "content-length: " + std::to_string(peer_->received.size() - body) + "\r\n";
    EXPECT_THAT(peer_->received, HasSubstr(length));
    EXPECT_THAT(peer_->received, HasSubstr("HTTP/2 from the first byte"));
    EXPECT_TRUE(peer_->ended);
    loop_.Advance(ConnectionDriver::kCloseTime);
    EXPECT_TRUE(server_->closed.has_value());
  }
}

TEST_F(ConnectionCloseTest, AServerThatDrainsBeforeThePrefaceSaysSo) {
  Serve();
  server_->connection.BeginDrain();
  server_->driver->RequestFlush();
  loop_.RunUntilIdle();
  EXPECT_THAT(peer_->Frames(Role::kServer), Contains("GOAWAY last=2147483647 NO_ERROR"));
}

}  // namespace
}  // namespace weir::transport
