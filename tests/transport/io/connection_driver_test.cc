#include "weir/transport/io/connection_driver.h"

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/transport/io/driver_harness.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::StartsWith;
using weir::testing::FakeLoop;
using weir::testing::IsOk;

// Answers every request with 200 and its body, as an application does: takes what it could send.
void Echo(Endpoint* server, H2Event& event) {
  H2Connection& connection = server->connection;
  if (auto* request = std::get_if<H2RequestReceived>(&event)) {
    EXPECT_THAT(connection.SendResponseHeaders(request->stream_id, 200, {},
                                               request->end_stream ? EndStream::kYes : EndStream::kNo),
                IsOk());
    if (request->end_stream) connection.RemoveStream(request->stream_id);
  }
  if (auto* body = std::get_if<H2BodyReceived>(&event)) {
    const EndStream end = body->body.more ? EndStream::kNo : EndStream::kYes;
    EXPECT_EQ(connection.SendData(body->stream_id, body->body.data, end), body->body.data.size());
    connection.ConsumeData(body->stream_id, body->body.flow_controlled_bytes);
    if (!body->body.more) connection.RemoveStream(body->stream_id);
  }
}

class ConnectionDriverTest : public ::testing::Test {
 protected:
  void Join(MemoryStreamOptions options = {}) {
    auto [first, second] = MakeMemoryStreamPair(loop_, options);
    server_ = std::make_unique<Endpoint>(loop_, std::move(second), Role::kServer);
    server_->on_event = [this](H2Event& event) { Echo(server_.get(), event); };
    client_ = std::make_unique<Endpoint>(loop_, std::move(first), Role::kClient);
  }

  // A server under test and a peer that speaks frame text.
  void ServeRawPeer(MemoryStreamOptions options = {}) {
    auto [first, second] = MakeMemoryStreamPair(loop_, options);
    server_stream_ = second.get();
    server_ = std::make_unique<Endpoint>(loop_, std::move(second), Role::kServer);
    peer_ = std::make_unique<RawPeer>(std::move(first));
  }

  void EchoOneBody(MemoryStreamOptions options) {
    Join(options);
    const StreamId id = client_->Request(EndStream::kNo);
    const std::string body(20'000, 'b');
    EXPECT_EQ(client_->connection.SendData(id, body, EndStream::kYes), body.size());
    std::string echoed;
    client_->on_event = [&](H2Event& event) {
      auto* data = std::get_if<H2BodyReceived>(&event);
      if (data == nullptr) return;
      echoed.append(data->body.data);
      client_->connection.ConsumeData(id, data->body.flow_controlled_bytes);
      if (!data->body.more) client_->connection.RemoveStream(id);
    };
    loop_.RunUntilIdle();
    EXPECT_TRUE(echoed == body);
    EXPECT_EQ(client_->connection.ActiveStreamCount(), 0u);
    EXPECT_EQ(server_->connection.ActiveStreamCount(), 0u);
  }

  FakeLoop loop_;
  std::unique_ptr<Endpoint> client_;
  std::unique_ptr<Endpoint> server_;
  std::unique_ptr<RawPeer> peer_;
  MemoryStream* server_stream_ = nullptr;
};

TEST_F(ConnectionDriverTest, ARequestAndItsBodyGoUpAndTheResponseComesDown) { EchoOneBody({}); }

TEST_F(ConnectionDriverTest, ReadsAndWritesOfOneByteMeanTheSame) {
  EchoOneBody({.read_bytes_max = 1, .write_bytes_max = 1});
}

TEST_F(ConnectionDriverTest, AStreamThatHoldsLittleMeansTheSame) { EchoOneBody({.capacity_bytes = 7}); }

TEST_F(ConnectionDriverTest, ADrainedClientFinishesBothSidesInGoodOrderAndLeavesNothing) {
  Join();
  const StreamId id = client_->Request();
  loop_.RunUntilIdle();
  client_->connection.RemoveStream(id);
  client_->connection.BeginDrain();
  client_->driver->RequestFlush();
  loop_.RunUntilIdle();
  EXPECT_THAT(client_->closed, Optional(IsOk()));
  EXPECT_THAT(server_->closed, Optional(IsOk()));
  EXPECT_EQ(loop_.timers(), 0u);
  EXPECT_EQ(client_->driver->buffered_bytes() + server_->driver->buffered_bytes(), 0u);
}

TEST_F(ConnectionDriverTest, ADrainedServerFinishesBothSidesInGoodOrder) {
  Join();
  const StreamId id = client_->Request();
  loop_.RunUntilIdle();
  client_->connection.RemoveStream(id);
  server_->connection.BeginDrain();
  server_->driver->RequestFlush();
  loop_.RunUntilIdle();
  EXPECT_THAT(client_->closed, Optional(IsOk()));
  EXPECT_THAT(server_->closed, Optional(IsOk()));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ConnectionDriverTest, AllThatOneTurnProducedLeavesInOneWrite) {
  int writes = 0;
  auto [first, second] = MakeMemoryStreamPair(loop_);
  client_ =
      std::make_unique<Endpoint>(loop_, std::make_unique<CountingStream>(std::move(first), &writes), Role::kClient);
  RawPeer server(std::move(second));
  loop_.RunUntilIdle();
  EXPECT_EQ(writes, 1);
  writes = 0;
  for (int i = 0; i < 10; ++i) loop_.Post([&] { client_->Request(); });
  loop_.RunUntilIdle();
  EXPECT_EQ(writes, 1);
  EXPECT_THAT(server.Frames(Role::kClient), Contains(StartsWith("HEADERS 19 ")));
}

TEST_F(ConnectionDriverTest, ATurnReadsABoundedShareAndGoesOnInTheNext) {
  ServeRawPeer({.capacity_bytes = 4 << 20});
  std::string script(kClientHello);
  peer_->SendFrames(script);
  loop_.RunUntilIdle();
  std::string updates;
  ASSERT_THAT(EncodeFrameText("PRIORITY 1 0:16\n", &updates), IsOk());
  std::string many;
  while (many.size() < 1'000'000) many += updates;
  peer_->SendBytes(many);
  loop_.RunTurn();
  EXPECT_GE(server_stream_->unread_bytes(), many.size() - ConnectionDriver::kReadBytesPerTurn);
  loop_.RunTurn();
  EXPECT_GE(server_stream_->unread_bytes(), many.size() - 2 * ConnectionDriver::kReadBytesPerTurn);
  loop_.RunUntilIdle();
  EXPECT_EQ(server_stream_->unread_bytes(), 0u);
  EXPECT_FALSE(server_->closed);
}

TEST_F(ConnectionDriverTest, ABodyLargerThanEveryBufferFlowsAsFastAsItsReaderTakesIt) {
  Join({.capacity_bytes = 10'000});
  constexpr size_t kBody = 3'000'000;
  size_t sent = 0;
  size_t received = 0;
  size_t most_buffered = 0;
  const std::string chunk(30'000, 'x');
  auto send_more = [&](StreamId id) {
    while (sent < kBody) {
      const std::string_view rest = std::string_view(chunk).substr(0, kBody - sent);
      const bool last = sent + rest.size() == kBody;
      const size_t taken = server_->connection.SendData(id, rest, last ? EndStream::kYes : EndStream::kNo);
      sent += taken;
      if (taken < rest.size()) break;
    }
    server_->driver->RequestFlush();
  };
  StreamId id = 0;
  server_->on_event = [&](H2Event& event) {
    if (auto* request = std::get_if<H2RequestReceived>(&event)) {
      id = request->stream_id;
      EXPECT_THAT(server_->connection.SendResponseHeaders(id, 200, {}, EndStream::kNo), IsOk());
      send_more(id);
    }
    if (std::holds_alternative<H2WindowUpdated>(event)) send_more(id);
    most_buffered = std::max(most_buffered, server_->driver->buffered_bytes());
  };
  client_->on_event = [&](H2Event& event) {
    auto* body = std::get_if<H2BodyReceived>(&event);
    if (body == nullptr) return;
    received += body->body.data.size();
    client_->connection.ConsumeData(body->stream_id, body->body.flow_controlled_bytes);
  };
  client_->Request();
  loop_.RunUntilIdle();
  EXPECT_EQ(received, kBody);
  EXPECT_LE(most_buffered, ConnectionDriver::kPullBytes + 20'000);
}

TEST_F(ConnectionDriverTest, APeerThatDoesNotReadCostsBoundedMemory) {
  ServeRawPeer({.capacity_bytes = 1000});
  peer_->reading = false;
  const std::string large(2'000'000, 'x');
  server_->on_event = [&](H2Event& event) {
    if (auto* request = std::get_if<H2RequestReceived>(&event)) {
      EXPECT_THAT(server_->connection.SendResponseHeaders(request->stream_id, 200, {}, EndStream::kNo), IsOk());
      server_->connection.SendData(request->stream_id, large, EndStream::kNo);
      return;
    }
    auto* window = std::get_if<H2WindowUpdated>(&event);
    if (window != nullptr && window->stream_id != 0)
      server_->connection.SendData(window->stream_id, large, EndStream::kNo);
  };
  // Windows as large as they can be.
  std::string script = "PREFACE\nSETTINGS INITIAL_WINDOW_SIZE=2147483647\nWINDOW_UPDATE 0 2147000000\n";
  for (int i = 0; i < 50; ++i) {
    script += "HEADERS " + std::to_string(2 * i + 1) + " END_STREAM :method=GET :scheme=http :path=/ :authority=a\n";
  }
  peer_->SendFrames(script);
  for (int second = 0; second < 10; ++second) loop_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(server_->connection.ActiveStreamCount(), 50u);
  EXPECT_GT(server_->driver->buffered_bytes(), 0u);
  EXPECT_LE(server_->driver->buffered_bytes(), ConnectionDriver::kPullBytes + 20'000);
}

TEST_F(ConnectionDriverTest, ReadingStopsWhileTooMuchControlInputIsUnansweredAndGoesOnAfterwards) {
  ServeRawPeer({.capacity_bytes = 1000});
  peer_->reading = false;
  const std::string large(60'000, 'x');
  server_->on_event = [&](H2Event& event) {
    auto* request = std::get_if<H2RequestReceived>(&event);
    if (request == nullptr) return;
    EXPECT_THAT(server_->connection.SendResponseHeaders(request->stream_id, 200, {}, EndStream::kNo), IsOk());
    server_->connection.SendData(request->stream_id, large, EndStream::kYes);
  };
  peer_->SendFrames(std::string(kClientHello) + std::string(kGet1));
  loop_.RunUntilIdle();
  ASSERT_GT(server_->driver->buffered_bytes(), 0u) << "output is stuck";
  std::string frame;
  ASSERT_THAT(EncodeFrameText("PRIORITY 5 0:16\n", &frame), IsOk());
  std::string many;
  while (many.size() < 500'000) many += frame;
  peer_->SendBytes(many);
  loop_.Advance(std::chrono::seconds(10));
  const size_t taken = many.size() - peer_->unsent_bytes();
  EXPECT_GE(taken, ConnectionDriver::kUnansweredBytesMax);
  EXPECT_LE(taken, ConnectionDriver::kUnansweredBytesMax + 3000) << "the bound, a read and what the stream holds";
  peer_->StartReading();
  loop_.RunUntilIdle();
  EXPECT_EQ(peer_->unsent_bytes(), 0u);
  EXPECT_EQ(server_->driver->buffered_bytes(), 0u);
  EXPECT_THAT(peer_->Frames(Role::kServer), Contains(StartsWith("DATA 1 END_STREAM")));
}

TEST_F(ConnectionDriverTest, BodiesAreStillReadWhileOutputIsStuckSoThatAPeerThatWritesFirstIsNotBlocked) {
  ServeRawPeer({.capacity_bytes = 1000});
  peer_->reading = false;
  const std::string large(60'000, 'x');
  size_t body_bytes = 0;
  server_->on_event = [&](H2Event& event) {
    if (auto* request = std::get_if<H2RequestReceived>(&event)) {
      EXPECT_THAT(server_->connection.SendResponseHeaders(request->stream_id, 200, {}, EndStream::kNo), IsOk());
      server_->connection.SendData(request->stream_id, large, EndStream::kYes);
    }
    if (auto* body = std::get_if<H2BodyReceived>(&event)) body_bytes += body->body.data.size();
  };
  peer_->SendFrames(std::string(kClientHello) +
                    "SETTINGS ACK\nHEADERS 1 :method=POST :scheme=http :path=/ :authority=a\n");
  std::string script;
  for (int i = 0; i < 16; ++i) script += "DATA 1 zeros:16000\n";
  peer_->SendFrames(script);
  loop_.Advance(std::chrono::seconds(10));
  EXPECT_EQ(body_bytes, 256'000u);
}

TEST_F(ConnectionDriverTest, AnIdleConnectionWithoutWorkKeepsTheLoopIdle) {
  Join();
  loop_.RunUntilIdle();
  EXPECT_EQ(loop_.timers(), 0u);
  const size_t turns = loop_.turns();
  loop_.Advance(std::chrono::hours(1));
  EXPECT_EQ(loop_.turns(), turns);
}

TEST_F(ConnectionDriverTest, TheDriverMayBeDestroyedInsideOnEvents) {
  ServeRawPeer();
  server_->on_event = [&](H2Event& event) {
    if (std::holds_alternative<H2RequestReceived>(event)) server_->driver.reset();
  };
  peer_->SendFrames(std::string(kClientHello) + std::string(kGet1));
  loop_.RunUntilIdle();
  EXPECT_EQ(server_->driver, nullptr);
  EXPECT_FALSE(server_->closed);
  EXPECT_TRUE(peer_->ended);
}

TEST_F(ConnectionDriverTest, EveryFrameIsTracedInBothDirections) {
  auto [first, second] = MakeMemoryStreamPair(loop_, {.write_bytes_max = 5});
  std::vector<std::string> lines;
  server_ = std::make_unique<Endpoint>(
      loop_, std::move(second), Role::kServer,
      ConnectionDriverOptions{.trace = [&](std::string_view line) { lines.emplace_back(line); }});
  server_->on_event = [&](H2Event& event) { Echo(server_.get(), event); };
  loop_.RunUntilIdle();
  loop_.Advance(milliseconds(12003));
  RawPeer peer(std::move(first));
  peer.SendFrames(std::string(kClientHello) + std::string(kGet1) + "PING 0102030405060708\n");
  loop_.RunUntilIdle();
  EXPECT_THAT(lines, Contains(AllOf(StartsWith("12.003 s1 > SETTINGS"), HasSubstr("MAX_CONCURRENT_STREAMS=1000"))));
  EXPECT_THAT(lines, Contains("12.003 s1 < PREFACE"));
  EXPECT_THAT(lines, Contains("12.003 s1 < SETTINGS"));
  EXPECT_THAT(lines, Contains("12.003 s1 < HEADERS 1 END_STREAM :method=GET :scheme=http :path=/ :authority=a"));
  EXPECT_THAT(lines, Contains("12.003 s1 > HEADERS 1 END_STREAM :status=200"));
  EXPECT_THAT(lines, Contains("12.003 s1 < PING 0102030405060708"));
  EXPECT_THAT(lines, Contains("12.003 s1 > PING ACK 0102030405060708"));
}

}  // namespace
}  // namespace weir::transport
