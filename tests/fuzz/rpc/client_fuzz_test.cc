// A channel with a call of each kind against any server. The input is a sequence of moves: octets from the server, and
// time.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/channel_endpoint.h"
#include "weir/testing/simulation/simulated_loop.h"
#include "weir/testing/simulation/virtual_time.h"
#include "weir/tests/fuzz/input.h"
#include "weir/tests/fuzz/rpc/looking.h"
#include "weir/tests/fuzz/rpc/watchdog.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::testing {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr int kCalls = 4;

// The channel's connections: the newest one is the one that the server speaks on.
struct Server {
  transport::EventLoop& loop;
  std::unique_ptr<transport::MemoryStream> end;
};

class Source final : public StreamSource {
 public:
  explicit Source(Server& server) : server_(server) {}
  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop&) override {
    auto [client, server] = transport::MakeMemoryStreamPair(server_.loop, {.capacity_bytes = 1 << 20});
    server_.end = std::move(server);
    return std::unique_ptr<transport::ByteStream>(std::move(client));
  }

 private:
  Server& server_;
};

// One loop, and the time. The destructor of a channel waits for its loop, which is turned here.
class Machine final : public transport::WaitingWork {
 public:
  SimulatedLoop& loop() { return loop_; }

  void Advance(std::chrono::nanoseconds by) {
    const transport::MonotonicTime end = time_.Now() + by;
    for (auto next = loop_.NextTurn(); next.has_value() && *next <= end; next = loop_.NextTurn()) {
      time_.AdvanceTo(*next);
      loop_.RunTurn();
    }
    time_.AdvanceTo(end);
  }
  void Settle() { Advance(std::chrono::nanoseconds(0)); }

 private:
  void WorkWhileWaiting() override {
    Require(loop_.posted() != 0, "what is waited for comes");
    loop_.RunTurn();
  }

  VirtualTime time_;
  VirtualTime::Scope clocks_{time_};
  transport::WaitingWork::Scope waiting_{this};
  SimulatedLoop loop_{"client", time_, SimulatedRandom(1)};
};

class World {
 public:
  explicit World(uint8_t choice) {
    ChannelOptions options;
    options.default_timeout = kTimeout;
    if ((choice & 1) != 0) options.max_receive_message_bytes = 100;
    if ((choice & 2) != 0) options.stream_window_bytes = 100;
    if ((choice & 4) != 0) options.compression = "gzip";
    if ((choice & 8) != 0) options.interceptors = {std::make_shared<Looking<bench::Payload>>()};
    if ((choice & 16) != 0) options.max_metadata_bytes = 300;
    ChannelEndpoint endpoint;
    endpoint.name = "fuzz";
    endpoint.authority = "fuzz";
    endpoint.loop = &machine_.loop();
    endpoint.source = std::make_unique<Source>(server_);
    channel_.emplace(std::move(endpoint), options);
    channel_->Run(Unary(*this));
    channel_->Run(ClientStream(*this));
    channel_->Run(ServerStream(*this));
    channel_->Run(Bidi(*this));
    machine_.Settle();
  }

  void Move(Input& input) {
    const uint8_t move = input.Byte();
    if (move < 220) return Send(input.Bytes(move == 0 ? 1000 : move));
    if (move < 240) return machine_.Advance(std::chrono::milliseconds(1 << (move % 14)));
    if (move == 241 && server_.end != nullptr) server_.end->ShutdownWrite();
    if (move == 242) server_.end.reset();
    machine_.Settle();
  }

  void End() {
    machine_.Advance(absl::ToChronoNanoseconds(kTimeout));
    Require(ended_ == kCalls, "every call ends once, by its deadline at the latest");
    channel_.reset();
    server_.end.reset();
    machine_.Settle();
    Require(machine_.loop().timers() == 0, "no timer is left");
    Require(machine_.loop().posted() == 0, "no work is left");
  }

 private:
  static Task<void> Unary(World& world) {
    bench::EchoClient client(*world.channel_);
    const bench::Payload payload;
    auto call = client.Unary(payload);
    (void)co_await call;
    ++world.ended_;
  }
  static Task<void> ClientStream(World& world) {
    bench::EchoClient client(*world.channel_);
    auto call = client.ClientStream();
    bench::Payload payload;
    payload.set_body(std::string(1000, 'x'));
    for (int i = 0; i < 200; ++i) {
      if (!co_await call.Write(payload)) break;
    }
    (void)co_await call.Finish();
    ++world.ended_;
  }
  static Task<void> ServerStream(World& world) {
    bench::EchoClient client(*world.channel_);
    const bench::StreamRequest request;
    auto call = client.ServerStream(request);
    while (co_await call.Read().Within(kTimeout / 2)) {
    }
    (void)co_await call.Finish();
    ++world.ended_;
  }
  static Task<void> Bidi(World& world) {
    bench::EchoClient client(*world.channel_);
    auto call = client.BidiEcho();
    (void)co_await call.InitialMetadata();
    const bench::Payload payload;
    while (co_await call.Write(payload)) {
      const std::optional<bench::Payload> read = co_await call.Read();
      if (!read.has_value()) break;
    }
    (void)co_await call.Finish();
    ++world.ended_;
  }

  void Send(std::string_view bytes) {
    if (server_.end == nullptr || bytes.empty()) return;
    (void)server_.end->Write(std::span(&bytes, 1));
    machine_.Settle();
  }

  Machine machine_;
  Server server_{machine_.loop(), nullptr};
  std::optional<Channel> channel_;
  int ended_ = 0;
};

}  // namespace
}  // namespace weir::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const weir::testing::Watchdog watchdog;
  weir::testing::Input input(data, size);
  weir::testing::World world(input.Byte());
  while (!input.empty()) world.Move(input);
  world.End();
  return 0;
}
