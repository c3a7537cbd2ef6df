// The connections of one loop: they come, they go, and each is counted once either way.
#include "weir/rpc/server/server_loop.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/memory_stream.h"

namespace weir {
namespace {

using testing::FakeLoop;

// As a descriptor that epoll refuses to watch.
class FailingStream final : public transport::ByteStream {
 public:
  absl::Status Start(transport::ByteStreamObserver*) override {
    return absl::ResourceExhaustedError("epoll_ctl: no space");
  }
  transport::IoResult Read(std::span<char>) override { return {.kind = transport::IoResult::Kind::kWouldBlock}; }
  transport::IoResult Write(std::span<const std::string_view>) override {
    return {.kind = transport::IoResult::Kind::kWouldBlock};
  }
  void ShutdownWrite() override {}
  std::string PeerName() const override { return "failing"; }
  std::string LocalName() const override { return "local"; }
};

class ServerLoopTest : public ::testing::Test {
 protected:
  void Add(std::unique_ptr<transport::ByteStream> stream) {
    loop_.Post([this, shared = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(stream))] {
      shard_.Add(std::move(*shared), "s1");
    });
    loop_.RunUntilIdle();
  }

  FakeLoop loop_;
  Dispatcher dispatcher_;
  ServerOptions options_;
  int connections_ = 0;
  PeerCounts counts_;
  ServerLoop shard_{loop_, nullptr, dispatcher_, options_, counts_, [this](int change) { connections_ += change; }};
};

TEST_F(ServerLoopTest, ConnectionIsCountedUntilItIsGone) {
  auto [local, peer] = transport::MakeMemoryStreamPair(loop_);
  Add(std::move(local));
  EXPECT_EQ(connections_, 1);
  peer.reset();
  loop_.RunUntilIdle();
  EXPECT_EQ(connections_, 0);
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ServerLoopTest, StreamThatCannotBeStartedIsGoneAgain) {
  Add(std::make_unique<FailingStream>());
  loop_.RunUntilIdle();
  EXPECT_EQ(connections_, 0) << "a server would wait for it for ever when it stops";
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(ServerLoopTest, StopAllEndsConnectionsWithinTheCloseTime) {
  auto [local, peer] = transport::MakeMemoryStreamPair(loop_);
  Add(std::move(local));
  loop_.Post([this] { shard_.StopAll(absl::UnavailableError("stop")); });
  loop_.RunUntilIdle();
  loop_.Advance(std::chrono::seconds(2));  // the peer does not close its half
  EXPECT_EQ(connections_, 0);
  EXPECT_EQ(loop_.timers(), 0u);
}

}  // namespace
}  // namespace weir
