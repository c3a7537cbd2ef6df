// CONNECT against a scripted proxy: what is asked, what comes through, and what is said when it does not.
#include "weir/transport/io/http_tunnel.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::transport {
namespace {

using weir::testing::FakeLoop;
using Kind = IoResult::Kind;

constexpr char kAsked[] = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
constexpr char kProxy[] = "proxy memory:2: CONNECT a.example:443: ";

class Ignorant final : public ByteStreamObserver {
 public:
  void OnReadable() override { ++readable; }
  void OnWritable() override { ++writable; }
  int readable = 0;
  int writable = 0;
};

// What can be read now; "(end)" behind it at the end.
std::string ReadAll(ByteStream& stream) {
  std::string all;
  char buffer[7];
  for (;;) {
    const IoResult result = stream.Read(buffer);
    if (result.kind == Kind::kEnd) return all + "(end)";
    if (result.kind != Kind::kDone) return all;
    all.append(buffer, result.bytes);
  }
}

void Write(ByteStream& stream, std::string_view text) {
  while (!text.empty()) text.remove_prefix(stream.Write({&text, 1}).bytes);
}

class HttpTunnelTest : public ::testing::Test {
 protected:
  void Start(const HttpTunnelRequest& request = {.destination = "a.example:443", .authorization = ""},
             MemoryStreamOptions options = {}) {
    auto [ours, proxys] = MakeMemoryStreamPair(loop_, options);
    proxy_ = std::move(proxys);
    outcome_.reset();
    ASSERT_TRUE(proxy_->Start(&on_proxy_).ok());
    tunnel_ = std::make_unique<HttpTunnel>(loop_, std::move(ours), request,
                                           [this](absl::StatusOr<std::unique_ptr<ByteStream>> outcome) {
                                             outcome_.emplace(std::move(outcome));
                                             tunnel_.reset();
                                           });
    tunnel_->Start();
    EXPECT_FALSE(outcome_.has_value());
    loop_.RunUntilIdle();
  }

  // The text of the failure that this answer makes.
  std::string FailureAfter(std::string_view answer, bool end = false) {
    Start();
    Write(*proxy_, answer);
    if (end) proxy_->ShutdownWrite();
    loop_.RunUntilIdle();
    if (!outcome_.has_value()) return "(nothing)";
    EXPECT_EQ(outcome_->status().code(), absl::StatusCode::kUnavailable);
    const std::string text(outcome_->status().message());
    EXPECT_EQ(text.substr(0, std::string(kProxy).size()), kProxy);
    return text.substr(std::min(text.size(), std::string(kProxy).size()));
  }

  FakeLoop loop_;
  Ignorant on_proxy_;
  std::unique_ptr<MemoryStream> proxy_;
  std::optional<absl::StatusOr<std::unique_ptr<ByteStream>>> outcome_;
  std::unique_ptr<HttpTunnel> tunnel_;
};

TEST_F(HttpTunnelTest, BytesPassInBothDirectionsOnceTheProxyHasAgreed) {
  Start();
  EXPECT_EQ(ReadAll(*proxy_), kAsked);
  EXPECT_FALSE(outcome_.has_value());
  Write(*proxy_, "HTTP/1.1 200 OK\r\nVia: proxy\r\n\r\n");
  loop_.RunUntilIdle();
  ASSERT_TRUE(outcome_.has_value() && outcome_->ok());
  ByteStream& stream = ***outcome_;
  EXPECT_EQ(stream.PeerName(), "a.example:443 via memory:2");
  EXPECT_FALSE(stream.IsLocal());
  Ignorant observer;
  ASSERT_TRUE(stream.Start(&observer).ok());
  loop_.RunUntilIdle();
  EXPECT_EQ(observer.readable, 1) << "what could be done already is told";
  EXPECT_EQ(observer.writable, 1);
  Write(stream, "to");
  EXPECT_EQ(ReadAll(*proxy_), "to");
  Write(*proxy_, "fro");
  loop_.RunUntilIdle();
  EXPECT_EQ(observer.readable, 2);
  EXPECT_EQ(ReadAll(stream), "fro");
  stream.ShutdownWrite();
  EXPECT_EQ(ReadAll(*proxy_), "(end)");
}

TEST_F(HttpTunnelTest, WhatComesRightBehindTheAnswerIsTheDestinations) {
  Start();
  Write(*proxy_, "HTTP/1.0 200 Connection established\r\n\r\nI speak first");
  loop_.RunUntilIdle();
  ASSERT_TRUE(outcome_.has_value() && outcome_->ok());
  Write(*proxy_, ", and then");
  Ignorant observer;
  ASSERT_TRUE((**outcome_)->Start(&observer).ok());
  loop_.RunUntilIdle();
  EXPECT_EQ(ReadAll(***outcome_), "I speak first, and then");
}

TEST_F(HttpTunnelTest, AskingAndAnsweringMayTakeManyPieces) {
  Start({.destination = "a.example:443", .authorization = ""}, {.capacity_bytes = 5});
  std::string asked;
  for (int i = 0; i < 100; ++i) {
    asked += ReadAll(*proxy_);
    loop_.RunUntilIdle();
  }
  EXPECT_EQ(asked, kAsked);
  for (const char c : std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\nX: y\r\n\r\n")) {
    EXPECT_FALSE(outcome_.has_value());
    Write(*proxy_, std::string(1, c));
    loop_.RunUntilIdle();
  }
  EXPECT_TRUE(outcome_.has_value() && outcome_->ok());
}

TEST_F(HttpTunnelTest, WhoAsksIsSaidIfTheRequestSaysSo) {
  Start({.destination = "[::1]:80", .authorization = "Basic dTpw"});
  EXPECT_EQ(ReadAll(*proxy_), "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\nProxy-Authorization: Basic dTpw\r\n\r\n");
}

TEST_F(HttpTunnelTest, ARefusalSaysWhatTheProxySaidAndWhatToDo) {
  EXPECT_EQ(FailureAfter("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\nlog in"),
            "it said \"HTTP/1.1 407 Proxy Authentication Required\": it wants to know who asks: give it "
            "http://user:password@host:port");
  EXPECT_EQ(FailureAfter("HTTP/1.1 403 Filtered\r\n\r\n"),
            "it said \"HTTP/1.1 403 Filtered\": it does not allow this destination: allow it there, or leave the "
            "destination out (no_proxy)");
  EXPECT_EQ(FailureAfter("HTTP/1.0 502 Bad Gateway\r\n\r\n"),
            "it said \"HTTP/1.0 502 Bad Gateway\": it could not connect to the destination itself");
  EXPECT_EQ(FailureAfter("HTTP/1.1 301 Moved\r\n\r\n"), "it said \"HTTP/1.1 301 Moved\": expected 200");
  EXPECT_EQ(FailureAfter("HTTP/1.1 4\r\n\r\n"), "it said \"HTTP/1.1 4\": expected 200");
  EXPECT_EQ(FailureAfter("HTTP/1.1 twohundred\r\n\r\n"), "it said \"HTTP/1.1 twohundred\": expected 200");
}

TEST_F(HttpTunnelTest, WhatIsNoProxyIsToldByItsFirstBytes) {
  EXPECT_EQ(FailureAfter("SSH-2.0-OpenSSH_9.2\r\n"),
            "expected an answer of HTTP/1.1, got \"SSH-2.0-OpenSSH_9.2\": is that an HTTP proxy?");
  EXPECT_EQ(FailureAfter(std::string_view("\x15\x03\x01\0\x02\x02(", 7)),
            "expected an answer of HTTP/1.1, got \"\\x15\\x03\\x01\\x00\\x02\\x02(\": is that an HTTP proxy?");
  EXPECT_EQ(FailureAfter(""), "(nothing)");
  EXPECT_EQ(FailureAfter("", true), "expected an answer, got the end of the connection");
  EXPECT_EQ(FailureAfter("HTTP/1.1 200", true),
            "expected an answer, got \"HTTP/1.1 200\" and the end of the connection");
}

TEST_F(HttpTunnelTest, AnAnswerHasAtMostSoManyBytes) {
  const std::string begin = "HTTP/1.1 200 OK\r\nX: ";
  for (const size_t bytes : {HttpTunnel::kAnswerBytesMax - 1, HttpTunnel::kAnswerBytesMax}) {
    EXPECT_EQ(FailureAfter(begin + std::string(bytes - begin.size(), 'x')), "(nothing)");
    Write(*proxy_, "\r\n\r\n");
    loop_.RunUntilIdle();
    EXPECT_TRUE(outcome_.has_value() && outcome_->ok()) << bytes;
  }
  EXPECT_EQ(FailureAfter(begin + std::string(HttpTunnel::kAnswerBytesMax + 4 - begin.size(), 'x')),
            "expected an answer of at most 8192 bytes, got \"HTTP/1.1 200 OK\" and more than that");
}

TEST_F(HttpTunnelTest, ABrokenConnectionIsTold) {
  auto [ours, proxys] = MakeMemoryStreamPair(loop_);
  ours->FailWith(absl::UnavailableError("read from memory:2: Connection reset by peer"));
  tunnel_ = std::make_unique<HttpTunnel>(
      loop_, std::move(ours), HttpTunnelRequest{.destination = "a.example:443", .authorization = ""},
      [this](absl::StatusOr<std::unique_ptr<ByteStream>> outcome) { outcome_.emplace(std::move(outcome)); });
  tunnel_->Start();
  loop_.RunUntilIdle();
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_EQ(outcome_->status().message(), std::string(kProxy) + "read from memory:2: Connection reset by peer");
}

TEST_F(HttpTunnelTest, ATunnelThatIsDroppedSaysNothing) {
  Start();
  Write(*proxy_, "HTTP/1.1 200 OK\r\n\r\n");
  tunnel_.reset();
  loop_.RunUntilIdle();
  EXPECT_FALSE(outcome_.has_value());
  EXPECT_TRUE(loop_.idle());
}

}  // namespace
}  // namespace weir::transport
