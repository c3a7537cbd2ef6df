// What the tests of ConnectionDriver are made of: endpoints that record, and a peer that speaks frame text.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/io/connection_driver.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::transport {

inline H2Options OptionsFor(Role role) {
  H2Options options;
  options.role = role;
  // Its frames are what these tests send when they need many that nobody answers.
  options.priorities_per_stream = 1'000'000;
  return options;
}

// One H2Connection with its driver. Records events and the end; `on_event` does what an application would.
class Endpoint final : public EventSink {
 public:
  Endpoint(EventLoop& loop, std::unique_ptr<ByteStream> stream, Role role, ConnectionDriverOptions options = {})
      : connection(OptionsFor(role)),
        driver(std::make_unique<ConnectionDriver>(loop, std::move(stream), connection, *this,
                                                  role == Role::kClient ? "c1" : "s1", std::move(options))) {
    const absl::Status started = driver->Start();
    EXPECT_TRUE(started.ok()) << started;
  }

  StreamId Request(EndStream end_stream = EndStream::kYes) {
    auto id = connection.SendRequestHeaders(
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, end_stream);
    EXPECT_TRUE(id.ok()) << id.status();
    driver->RequestFlush();
    return id.ok() ? *id : 0;
  }

  void OnEvents(std::span<H2Event> batch) override {
    EXPECT_FALSE(closed) << "nothing comes after OnClosed";
    ++batches;
    for (H2Event& event : batch) {
      events.push_back(ToString(event));
      if (on_event) on_event(event);
    }
  }
  void OnClosed(const absl::Status& reason) override {
    EXPECT_FALSE(closed) << "OnClosed comes once";
    closed = reason;
    if (on_closed) on_closed();
  }

  H2Connection connection;
  std::vector<std::string> events;
  int batches = 0;
  std::optional<absl::Status> closed;
  std::function<void(H2Event&)> on_event;
  std::function<void()> on_closed;
  std::unique_ptr<ConnectionDriver> driver;
};

// The other end of a stream, without a connection: sends frame text or anything, reads when it is told to.
class RawPeer final : public ByteStreamObserver {
 public:
  explicit RawPeer(std::unique_ptr<ByteStream> s) : stream(std::move(s)) { (void)stream->Start(this); }

  void SendFrames(std::string_view script) {
    std::string bytes;
    const absl::Status encoded = EncodeFrameText(script, &bytes);
    ASSERT_TRUE(encoded.ok()) << encoded;
    SendBytes(bytes);
  }
  void SendBytes(std::string_view bytes) {
    unsent_.append(bytes);
    OnWritable();
  }

  void OnReadable() override {
    if (!reading) return;
    std::array<char, 4096> buffer;
    while (stream != nullptr) {
      const IoResult result = stream->Read(buffer);
      if (result.kind == IoResult::Kind::kEnd) ended = true;
      if (result.kind == IoResult::Kind::kError) error = result.error;
      if (result.kind != IoResult::Kind::kDone) return;
      received.append(buffer.data(), result.bytes);
    }
  }
  void OnWritable() override {
    while (!unsent_.empty()) {
      const std::string_view pieces[] = {unsent_};
      const IoResult result = stream->Write(pieces);
      if (result.kind != IoResult::Kind::kDone) return;
      unsent_.erase(0, result.bytes);
    }
  }
  void StartReading() {
    reading = true;
    OnReadable();
  }

  std::vector<std::string> Frames(Role sender) const { return DecodeFrameText(sender, received); }
  size_t unsent_bytes() const { return unsent_.size(); }

  std::unique_ptr<ByteStream> stream;
  bool reading = true;
  bool ended = false;
  absl::Status error;  // of a read
  std::string received;

 private:
  std::string unsent_;
};

// Passes everything on and counts the writes.
class CountingStream final : public ByteStream {
 public:
  CountingStream(std::unique_ptr<ByteStream> inner, int* writes) : inner_(std::move(inner)), writes_(writes) {}
  absl::Status Start(ByteStreamObserver* observer) override { return inner_->Start(observer); }
  IoResult Read(std::span<char> buffer) override { return inner_->Read(buffer); }
  IoResult Write(std::span<const std::string_view> pieces) override {
    ++*writes_;
    return inner_->Write(pieces);
  }
  void ShutdownWrite() override { inner_->ShutdownWrite(); }
  std::string PeerName() const override { return inner_->PeerName(); }
  std::string LocalName() const override { return inner_->LocalName(); }

 private:
  std::unique_ptr<ByteStream> inner_;
  int* writes_;
};

inline constexpr std::string_view kClientHello = "PREFACE\nSETTINGS\n";
inline constexpr std::string_view kGet1 = "HEADERS 1 END_STREAM :method=GET :scheme=http :path=/ :authority=a\n";

}  // namespace weir::transport
