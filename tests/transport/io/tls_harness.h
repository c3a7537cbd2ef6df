// What the tests of TLS are made of: a client and a server joined in memory, on a loop whose time the test moves.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/tests/support/test_certificates.h"
#include "weir/transport/io/memory_stream.h"
#include "weir/transport/io/tls.h"

namespace weir::transport {

using weir::testing::FakeLoop;
using weir::testing::TestAuthority;
using weir::testing::TestCertificate;

// Uses a stream as a connection does: writes all that it has, reads all that there is, records the end.
class StreamUser final : public ByteStreamObserver {
 public:
  explicit StreamUser(std::unique_ptr<ByteStream> s) : stream(std::move(s)) {
    const absl::Status status = stream->Start(this);
    EXPECT_TRUE(status.ok()) << status;
  }

  void Send(std::string_view bytes) {
    unsent_.append(bytes);
    OnWritable();
  }
  void OnReadable() override {
    if (!reading) return;
    std::array<char, 4096> buffer;
    while (stream != nullptr && !ended && error.ok()) {
      const IoResult result = stream->Read(buffer);
      if (result.kind == IoResult::Kind::kEnd) ended = true;
      if (result.kind == IoResult::Kind::kError) error = result.error;
      if (result.kind != IoResult::Kind::kDone) break;
      received.append(buffer.data(), result.bytes);
    }
    if (!error.ok() && destroy_on_error) stream.reset();
  }
  void OnWritable() override {
    while (!unsent_.empty() && stream != nullptr) {
      const std::string_view pieces[] = {std::string_view(unsent_).substr(0, 1), std::string_view(unsent_).substr(1)};
      const IoResult result = stream->Write(pieces);
      if (result.kind == IoResult::Kind::kError) write_error = result.error;
      if (result.kind != IoResult::Kind::kDone) return;
      unsent_.erase(0, result.bytes);
    }
  }
  void StartReading() {
    reading = true;
    OnReadable();
  }
  size_t unsent_bytes() const { return unsent_.size(); }

  bool reading = true;
  bool destroy_on_error = false;
  bool ended = false;
  absl::Status error;
  absl::Status write_error;
  std::string received;
  std::unique_ptr<ByteStream> stream;  // last: destroyed first

 private:
  std::string unsent_;
};

inline TlsKeyPair KeyPairOf(const TestCertificate& certificate) {
  return {TlsPem::Memory(certificate.chain), TlsPem::Memory(certificate.key)};
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    server_options_.key_pair = KeyPairOf(SharedServerCertificate());
    server_options_.log = [this](std::string_view line) { log_.emplace_back(line); };
    client_options_.roots = TlsPem::Memory(Ca().certificate());
  }

  // Made once for all tests.
  static TestAuthority& Ca() {
    static TestAuthority* const ca = new TestAuthority("Test CA");
    return *ca;
  }
  static const TestCertificate& SharedServerCertificate() {
    static const TestCertificate* const certificate = new TestCertificate(
        Ca().Issue({.common_name = "server", .names = "DNS:a.example,DNS:*.b.example,IP:10.0.0.1"}));
    return *certificate;
  }

  // New streams between a client and a server with the options of now.
  void Join(MemoryStreamOptions memory = {}, std::string_view host = "a.example") {
    server_security_ = MakeTlsServerSecurity(server_options_);
    client_security_ = MakeTlsClientSecurity(client_options_);
    ASSERT_TRUE(server_security_->status().ok()) << server_security_->status();
    ASSERT_TRUE(client_security_->status().ok()) << client_security_->status();
    JoinAgain(memory, host);
  }
  void JoinAgain(MemoryStreamOptions memory = {}, std::string_view host = "a.example") {
    client_.reset();
    server_.reset();
    loop_.RunUntilIdle();
    memory.first_name = "client";
    memory.second_name = "server";
    auto [client_end, server_end] = MakeMemoryStreamPair(loop_, memory);
    client_end_ = client_end.get();
    server_end_ = server_end.get();
    client_ = std::make_unique<StreamUser>(client_security_->Secure(loop_, std::move(client_end), host));
    server_ = std::make_unique<StreamUser>(server_security_->Secure(loop_, std::move(server_end), ""));
  }

  // Both directions carry something.
  void ExpectTheyCanTalk() {
    client_->Send("ping");
    server_->Send("pong");
    loop_.RunUntilIdle();
    EXPECT_EQ(server_->received, "ping") << server_->error;
    EXPECT_EQ(client_->received, "pong") << client_->error;
  }

  FakeLoop loop_;
  TlsServerOptions server_options_;
  TlsClientOptions client_options_;
  std::vector<std::string> log_;  // of the server
  std::shared_ptr<StreamSecurity> server_security_;
  std::shared_ptr<StreamSecurity> client_security_;
  MemoryStream* client_end_ = nullptr;  // below TLS
  MemoryStream* server_end_ = nullptr;
  std::unique_ptr<StreamUser> client_;
  std::unique_ptr<StreamUser> server_;
};

}  // namespace weir::transport
