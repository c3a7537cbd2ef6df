// A server's connection against any client. The input is a sequence of moves: octets from the client, time, what the
// server itself may do.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/server_loop.h"
#include "weir/tests/fuzz/input.h"
#include "weir/tests/fuzz/rpc/looking.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::testing {
namespace {

constexpr char kStartText[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";  // and empty SETTINGS
constexpr std::string_view kStart(kStartText, sizeof(kStartText) - 1);

class Service final : public bench::EchoService {
 public:
  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload& request) override {
    Running running(*this);
    if (request.body().empty()) co_await context.Sleep(absl::Seconds(10));
    co_return request;
  }
  Task<absl::Status> ServerStream(ServerContext&, const bench::StreamRequest& request,
                                  Writer<bench::Payload>& writer) override {
    Running running(*this);
    bench::Payload payload;
    payload.set_body(std::string(request.size() % 10'000, 'x'));
    for (uint32_t i = 0; i < request.count() % 1000; ++i) {
      if (!co_await writer.Write(payload)) break;
    }
    co_return absl::OkStatus();
  }
  Task<absl::StatusOr<bench::Summary>> ClientStream(ServerContext&, Reader<bench::Payload>& reader) override {
    Running running(*this);
    while (co_await reader.Read()) {
    }
    co_return bench::Summary();
  }
  Task<absl::Status> BidiEcho(ServerContext&, Reader<bench::Payload>& reader, Writer<bench::Payload>& writer) override {
    Running running(*this);
    while (std::optional<bench::Payload> payload = co_await reader.Read().Within(absl::Seconds(5))) {
      if (!co_await writer.Write(*payload)) break;
    }
    co_return absl::OkStatus();
  }

  int running() const { return running_; }

 private:
  class Running {
   public:
    explicit Running(Service& service) : service_(service) { ++service_.running_; }
    ~Running() { --service_.running_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Service& service_;
  };

  int running_ = 0;
};

class World {
 public:
  explicit World(uint8_t choice) {
    if ((choice & 1) != 0) options_.max_concurrent_streams = 2;
    if ((choice & 2) != 0) options_.stream_window_bytes = 100;
    if ((choice & 4) != 0) options_.max_receive_message_bytes = 100;
    if ((choice & 16) != 0) options_.compression = "gzip";
    if ((choice & 32) != 0) options_.interceptors = {std::make_shared<Looking<bench::Payload>>()};
    if ((choice & 64) != 0) options_.max_metadata_bytes = 300;
    Require(dispatcher_.Add(service_).ok(), "a service of its own");
    auto [client, server] = transport::MakeMemoryStreamPair(loop_, {.capacity_bytes = 1 << 20});
    client_ = std::move(client);
    loop_.Post([this, end = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(server))] {
      shard_.Add(std::move(*end), "s1");
    });
    loop_.RunUntilIdle();
    if ((choice & 8) == 0) Send(kStart);
  }

  void Move(Input& input) {
    const uint8_t move = input.Byte();
    if (move < 200) return Send(input.Bytes(move == 0 ? 1000 : move));
    if (move < 220) return Read();
    if (move < 240) return loop_.Advance(std::chrono::milliseconds(1 << (move % 16)));
    if (move == 240) loop_.Post([this] { shard_.BeginDrain(); });
    if (move == 241) loop_.Post([this] { shard_.StopAll(absl::UnavailableError("stop")); });
    if (move == 242 && client_ != nullptr) client_->ShutdownWrite();
    loop_.RunUntilIdle();
  }

  void End() {
    client_.reset();
    loop_.RunUntilIdle();
    loop_.Advance(std::chrono::seconds(30));
    Require(connections_ == 0, "the connection goes with its client");
    Require(service_.running() == 0, "handlers end with their client");
    Require(loop_.timers() == 0, "no timer is left");
    Require(loop_.posted() == 0, "no work is left");
  }

 private:
  void Send(std::string_view bytes) {
    if (client_ == nullptr || bytes.empty()) return;
    (void)client_->Write(std::span(&bytes, 1));
    loop_.RunUntilIdle();
  }
  void Read() {
    char buffer[4096];
    (void)client_->Read(buffer);
    loop_.RunUntilIdle();
  }

  FakeLoop loop_;
  ServerOptions options_;
  Service service_;
  Dispatcher dispatcher_;
  int connections_ = 0;
  PeerCounts counts_;
  ServerLoop shard_{loop_, nullptr, dispatcher_, options_, counts_, [this](int change) { connections_ += change; }};
  std::unique_ptr<transport::MemoryStream> client_;
};

}  // namespace
}  // namespace weir::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::testing::Input input(data, size);
  weir::testing::World world(input.Byte());
  while (!input.empty()) world.Move(input);
  world.End();
  return 0;
}
