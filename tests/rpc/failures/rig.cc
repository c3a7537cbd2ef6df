#include "weir/tests/rpc/failures/rig.h"

#include <span>
#include <thread>

#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/client/stream_source.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/tests/support/frame_script.h"

namespace weir::testing {
namespace {

constexpr char kTarget[] = "greeter:50051";
constexpr char kPeer[] = "10.0.0.7:50051";

}  // namespace

// Connects once: a call that looks for another connection finds none.
class Rig::Source final : public StreamSource {
 public:
  explicit Source(Rig& rig) : rig_(rig) {}

  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop& loop) override {
    if (rig_.peer_ != nullptr) return absl::UnavailableError("connect to 10.0.0.7:50051: Connection refused");
    auto [local, peer] =
        transport::MakeMemoryStreamPair(loop, {.capacity_bytes = 1 << 20, .first_name = "local", .second_name = kPeer});
    rig_.local_ = local.get();
    rig_.peer_ = std::move(peer);
    return std::move(local);
  }

 private:
  Rig& rig_;
};

Rig::Rig(ChannelOptions options)
    : core_(std::make_shared<ChannelCore>(loop_, kTarget, Target::Parse(kTarget), std::move(options),
                                          std::make_unique<Source>(*this))) {}

Rig::Rig(std::string_view target, Lookup lookup)
    : core_(std::make_shared<ChannelCore>(loop_, std::string(target), Target::Parse(target), ChannelOptions(), nullptr,
                                          InsecureChannelCredentials(),
                                          transport::ResolverOptions{.threads = 1, .lookup = std::move(lookup)})) {
  loop_.NeverReady();
}

Rig::~Rig() {
  CloseChannel();
  loop_.Post([this] { core_->DropConnections(); });
  loop_.RunUntilIdle();
}

std::shared_ptr<ClientCall> Rig::Start(const MethodSpec& method, const CallOptions& options) {
  bench::Payload request;
  request.set_body("hello");
  const OutgoingMessage message = wire::Outgoing(request);
  auto call = std::make_shared<ClientCall>(core_, loop_, method, options, &message, loop_.Now());
  last_ = call;
  return call;
}

Task<void> Rig::WaitForReply(Rig& rig, std::shared_ptr<ClientCall> call) {
  call->Start();
  absl::StatusOr<bench::Payload> reply = co_await ReplyOperation<bench::Payload>(*call);
  rig.ends_.push_back(reply.status());
}

Task<void> Rig::WaitForEnd(Rig& rig, std::shared_ptr<ClientCall> call) {
  call->Start();
  for (;;) {
    std::optional<bench::Payload> payload = co_await ReadOperation<bench::Payload>(*call);
    if (!payload) break;
  }
  absl::Status status = co_await FinishOperation(*call);
  rig.ends_.push_back(status);
}

void Rig::Unary(const CallOptions& options) {
  loop_.Post([this, options] {
    Spawn(WaitForReply(*this, Start({"/hello.Greeter/SayHello", CallKind::kUnary}, options)));
  });
  loop_.RunUntilIdle();
}

void Rig::ServerStream(const CallOptions& options) {
  loop_.Post([this, options] {
    Spawn(WaitForEnd(*this, Start({"/hello.Greeter/Watch", CallKind::kServerStreaming}, options)));
  });
  loop_.RunUntilIdle();
}

void Rig::CancelLast() {
  if (auto call = last_.lock()) loop_.Post([call] { call->Cancel(); });
  loop_.RunUntilIdle();
}

void Rig::Resolved() {
  // The answer comes from another thread; it may have come, and have been run, before.
  for (; ends_.empty(); std::this_thread::yield()) loop_.RunUntilIdle();
}

void Rig::Settings(const std::string& settings) {
  Advance(std::chrono::milliseconds(1));
  Peer("SETTINGS " + settings + "\nSETTINGS ACK");
}

void Rig::Peer(const std::string& frames) { PeerBytes(Frames(frames)); }

void Rig::PeerBytes(std::string_view bytes) {
  peer_->Write(std::span(&bytes, 1));
  loop_.RunUntilIdle();
}

void Rig::PeerCloses() {
  peer_->ShutdownWrite();
  loop_.RunUntilIdle();
}

void Rig::Lose() {
  local_->FailWith(absl::UnavailableError("read from 10.0.0.7:50051: Connection reset by peer"));
  loop_.RunUntilIdle();
}

void Rig::CloseChannel() {
  loop_.Post([this] { core_->Shutdown(); });
  loop_.RunUntilIdle();
}

}  // namespace weir::testing
