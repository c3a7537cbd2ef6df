#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/examples/h2_echo/echo_connection.h"
#include "weir/examples/h2_echo/websocket_session.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/tests/transport/io/driver_harness.h"

namespace weir::examples {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using ::testing::StartsWith;
using weir::testing::FakeLoop;
using weir::testing::IsOk;
using weir::testing::StatusIs;

class H2EchoTest : public ::testing::Test {
 protected:
  std::unique_ptr<transport::MemoryStream> Serve(transport::MemoryStreamOptions options = {}) {
    auto [first, second] = transport::MakeMemoryStreamPair(loop_, options);
    server_ = std::make_unique<EchoConnection>(loop_, std::move(second), "s1", [this](const absl::Status& reason) {
      server_closed_ = reason;
      server_.reset();
    });
    EXPECT_THAT(server_->Start(), IsOk());
    return std::move(first);
  }

  FakeLoop loop_;
  std::unique_ptr<EchoConnection> server_;
  std::optional<absl::Status> server_closed_;
};

std::string Describe(const WebSocketFrame& frame) {
  return std::to_string(frame.opcode) + (frame.fin ? " fin " : " ") + frame.payload;
}

TEST_F(H2EchoTest, AWebSocketOverHttp2EchoesMessagesAnswersPingsAndCloses) {
  std::vector<std::string> frames;
  std::optional<absl::Status> closed;
  bool open = false;
  WebSocketSession client(loop_, Serve({.read_bytes_max = 3}), "example.test", "/chat",
                          {.on_open = [&] { open = true; },
                           .on_frame = [&](const WebSocketFrame& frame) { frames.push_back(Describe(frame)); },
                           .on_closed = [&](const absl::Status& reason) { closed = reason; }});
  ASSERT_THAT(client.Start(), IsOk());
  loop_.RunUntilIdle();
  ASSERT_TRUE(open);
  client.SendText("hello");
  client.Send({WebSocketFrame::kBinary, true, std::string("\0\1", 2)});
  client.Send({WebSocketFrame::kText, false, "in two "});
  client.Send({WebSocketFrame::kContinuation, true, "parts"});
  client.Send({WebSocketFrame::kPing, true, "are you there"});
  loop_.RunUntilIdle();
  EXPECT_THAT(frames, ElementsAre("1 fin hello", std::string("2 fin \0\1", 8), "1 in two ", "0 fin parts",
                                  "10 fin are you there"));
  frames.clear();
  client.Close(1000);
  loop_.RunUntilIdle();
  EXPECT_THAT(frames, ElementsAre("8 fin \x03\xe8"));
  EXPECT_THAT(closed, Optional(IsOk()));
  EXPECT_THAT(server_closed_, Optional(IsOk()));
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(H2EchoTest, AWebSocketCarriesMoreThanAllWindowsHold) {
  size_t echoed = 0;
  std::optional<absl::Status> closed;
  std::unique_ptr<WebSocketSession> client;
  const std::string text(60'000, 't');
  constexpr size_t kMessages = 50;
  size_t count = 0;
  client = std::make_unique<WebSocketSession>(
      loop_, Serve(), "a", "/",
      WebSocketSession::Callbacks{.on_open =
                                      [&] {
                                        for (size_t i = 0; i < kMessages; ++i) client->SendText(text);
                                      },
                                  .on_frame =
                                      [&](const WebSocketFrame& frame) {
                                        echoed += frame.payload.size();
                                        if (++count == kMessages) client->Close(1000);
                                      },
                                  .on_closed = [&](const absl::Status& reason) { closed = reason; }});
  ASSERT_THAT(client->Start(), IsOk());
  loop_.RunUntilIdle();
  EXPECT_EQ(echoed, kMessages * text.size() + 2) << "and the code of the close frame";
  EXPECT_THAT(closed, Optional(IsOk()));
}

TEST_F(H2EchoTest, GetGivesAPageAndOtherMethodsAreRefused) {
  transport::RawPeer peer(Serve());
  peer.SendFrames(std::string(transport::kClientHello) + std::string(transport::kGet1) +
                  "HEADERS 3 END_STREAM :method=GET :scheme=http :path=/other :authority=a\n"
                  "HEADERS 5 :method=DELETE :scheme=http :path=/ :authority=a\n");
  loop_.RunUntilIdle();
  const std::vector<std::string> frames = peer.Frames(transport::Role::kServer);
  EXPECT_THAT(frames, Contains(StartsWith("HEADERS 1 :status=200 content-type=")));
  EXPECT_THAT(frames, Contains(StartsWith("DATA 1 END_STREAM \"weir h2_echo")));
  EXPECT_THAT(frames, Contains(StartsWith("HEADERS 3 :status=404")));
  EXPECT_THAT(frames, Contains(StartsWith("HEADERS 5 :status=405")));
  EXPECT_THAT(frames, Contains("RST_STREAM 5 NO_ERROR")) << "the rest of the request is not wanted";
}

TEST_F(H2EchoTest, AnUnknownProtocolOfAnExtendedConnectIsNotImplemented) {
  transport::RawPeer peer(Serve());
  peer.SendFrames(std::string(transport::kClientHello) +
                  "HEADERS 1 :method=CONNECT :scheme=http :path=/ :authority=a :protocol=connect-udp\n"
                  "HEADERS 3 :method=CONNECT :scheme=http :path=/ :authority=a :protocol=websocket "
                  "sec-websocket-version=12\n");
  loop_.RunUntilIdle();
  EXPECT_THAT(peer.Frames(transport::Role::kServer), Contains(StartsWith("HEADERS 1 :status=501")));
  EXPECT_THAT(peer.Frames(transport::Role::kServer), Contains(StartsWith("HEADERS 3 :status=400")));
}

TEST_F(H2EchoTest, AClientThatDoesNotReadItsEchoIsGivenNoMoreThanItsWindow) {
  auto stream = Serve();
  transport::Endpoint client(loop_, std::move(stream), transport::Role::kClient);
  size_t held = 0;
  std::string echoed;
  bool ended = false;
  client.on_event = [&](transport::H2Event& event) {
    auto* body = std::get_if<transport::H2BodyReceived>(&event);
    if (body == nullptr) return;
    held += body->body.flow_controlled_bytes;  // not consumed
    echoed.append(body->body.data);
    ended = !body->body.more;
  };
  loop_.RunUntilIdle();
  const transport::StreamId id = *client.connection.SendRequestHeaders(
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, transport::EndStream::kNo);
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += std::to_string(i) + ",";
  size_t sent = 0;
  auto send = [&] {
    while (true) {
      const size_t taken =
          client.connection.SendData(id, std::string_view(body).substr(sent), transport::EndStream::kYes);
      sent += taken;
      client.driver->RequestFlush();
      loop_.RunUntilIdle();
      if (taken == 0) return;
    }
  };
  send();
  const transport::H2Options options;
  EXPECT_LE(held, options.stream_window_bytes);
  EXPECT_LT(sent, body.size());
  EXPECT_LE(sent, 4 * options.stream_window_bytes) << "two windows, and what the queues hold";
  // Now it reads.
  while (!ended) {
    ASSERT_GT(held, 0u) << "stuck after " << echoed.size() << " bytes";
    client.connection.ConsumeData(id, std::exchange(held, 0));
    client.driver->RequestFlush();
    loop_.RunUntilIdle();
    if (sent < body.size()) send();
  }
  EXPECT_TRUE(echoed == body);
}

TEST(WebSocketParserTest, FramesCutAnywhereAreTheSameFrames) {
  std::string bytes;
  AppendWebSocketFrame({WebSocketFrame::kText, true, "short"}, 0x01020304, &bytes);
  AppendWebSocketFrame({WebSocketFrame::kText, true, std::string(126, 'a')}, std::nullopt, &bytes);
  AppendWebSocketFrame({WebSocketFrame::kBinary, true, std::string(WebSocketParser::kPayloadBytesMax, 'b')}, 7, &bytes);
  for (const size_t step : {size_t{1}, size_t{13}, bytes.size()}) {
    WebSocketParser parser;
    std::vector<WebSocketFrame> frames;
    for (size_t i = 0; i < bytes.size(); i += step) {
      ASSERT_TRUE(parser.Feed(std::string_view(bytes).substr(i, step), &frames));
    }
    ASSERT_THAT(frames, SizeIs(3));
    EXPECT_EQ(frames[0].payload, "short");
    EXPECT_EQ(frames[1].payload, std::string(126, 'a'));
    EXPECT_EQ(frames[2].payload, std::string(WebSocketParser::kPayloadBytesMax, 'b'));
  }
}

TEST(WebSocketParserTest, WhatIsNoFrameIsRefusedWithTheCodeOfTheRfc) {
  struct Case {
    std::string bytes;
    uint16_t code;
  };
  for (const Case& c : std::vector<Case>{{std::string("\xc1\x00", 2), 1002},  // a reserved bit
                                         {std::string("\x83\x00", 2), 1002},  // an unknown opcode
                                         {std::string("\x09\x00", 2), 1002},  // a ping in fragments
                                         {std::string("\x89\x7e", 2), 1002},  // a ping of more than 125 bytes
                                         {std::string("\x82\x7f\0\0\0\0\0\1\0\1", 10), 1009}}) {  // 64 KiB + 1
    WebSocketParser parser;
    std::vector<WebSocketFrame> frames;
    EXPECT_FALSE(parser.Feed(c.bytes, &frames));
    EXPECT_EQ(parser.close_code(), c.code);
    EXPECT_THAT(frames, IsEmpty());
  }
}

}  // namespace
}  // namespace weir::examples
