#include "weir/tests/support/fleet.h"

#include <cstdlib>
#include <span>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/client_operations.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/tests/support/call_script.h"

namespace weir::testing {
namespace {

constexpr char kTarget[] = "fleet:///";

ServerAddress ParseServer(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  absl::StatusOr<transport::SocketAddress> address = transport::SocketAddress::Parse(words[0]);
  if (!address.ok()) std::abort();
  ServerAddress server{.address = *address, .attributes = {}};
  if (words.size() > 1 && !absl::SimpleAtoi(words[1], &server.weight)) std::abort();
  return server;
}

}  // namespace

struct Fleet::Peer {
  std::string address;
  std::unique_ptr<transport::MemoryStream> stream;
  transport::FrameTextDecoder decoder{transport::Role::kClient};
  bool greeted = false;
  std::vector<int> held{};
  int watch = 0;  // the stream of a health check, which the test answers by Send
};

class Fleet::Network final : public Connector {
 public:
  explicit Network(Fleet& fleet) : fleet_(fleet) {}

  std::unique_ptr<ConnectAttempt> Connect(transport::EventLoop& loop, const transport::SocketAddress& address,
                                          OnDone on_done) override {
    fleet_.Log("connect " + address.ToString());
    return std::make_unique<Attempt>(fleet_, loop, address.ToString(), std::move(on_done));
  }

 private:
  class Attempt final : public ConnectAttempt {
   public:
    Attempt(Fleet& fleet, transport::EventLoop& loop, std::string address, OnDone on_done)
        : fleet_(fleet), address_(std::move(address)), on_done_(std::move(on_done)), timer_(loop, [this] { Tell(); }) {
      if (fleet_.servers_[address_] != kSilent) timer_.Set(loop.Now());
    }

   private:
    void Tell() {
      const OnDone on_done = std::move(on_done_);  // may destroy us
      if (fleet_.servers_[address_] == kRefuses) {
        return on_done(absl::UnavailableError(absl::StrCat("connect to ", address_, ": Connection refused")));
      }
      auto [local, peer] = transport::MakeMemoryStreamPair(
          fleet_.loop_, {.capacity_bytes = 1 << 20, .first_name = "local", .second_name = address_});
      fleet_.peers_.push_back(std::make_unique<Peer>(Peer{.address = address_, .stream = std::move(peer)}));
      on_done(ConnectedStream{.stream = std::move(local)});
    }

    Fleet& fleet_;
    const std::string address_;
    OnDone on_done_;
    transport::Timer timer_;
  };

  Fleet& fleet_;
};

class Fleet::Resolver final : public NameResolver {
 public:
  Resolver(Fleet& fleet, const NameResolverArgs& args)
      : fleet_(fleet),
        listener_(args.listener),
        tell_(args.loop, [this] { listener_.OnResolution(fleet_.resolution_); }) {
    fleet_.resolver_ = this;
  }
  ~Resolver() override { fleet_.resolver_ = nullptr; }

  void Start() override {
    fleet_.Log("resolve");
    Tell();
  }
  void RequestReresolution() override {
    fleet_.Log("resolve again");
    if (!fleet_.resolution_.ok()) Tell();
  }
  void Tell() { tell_.Set(fleet_.loop_.Now()); }

 private:
  Fleet& fleet_;
  NameResolverListener& listener_;
  transport::Timer tell_;
};

Fleet::Fleet(ChannelOptions options) {
  options.authority = "fleet";
  options.name_resolvers["fleet"] = [this](const NameResolverArgs& args) {
    return std::make_unique<Resolver>(*this, args);
  };
  core_ = std::make_shared<ChannelCore>(loop_, kTarget, Target::Parse(kTarget, options.name_resolvers), options);
  core_->UseConnector(std::make_unique<Network>(*this));
}

Fleet::~Fleet() {
  loop_.Post([this] { core_->Shutdown(); });
  loop_.RunUntilIdle();
  loop_.Post([this] { core_->DropConnections(); });
  loop_.RunUntilIdle();
}

void Fleet::Log(std::string_view line) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.Now().time_since_epoch());
  log_.push_back(absl::StrCat(now.count(), "ms ", std::string(line)));
}

void Fleet::Resolve(const std::vector<std::string>& addresses, ServiceConfigResult config) {
  Resolution resolution;
  resolution.service_config = std::move(config);
  for (const std::string& address : addresses) resolution.addresses.push_back(ParseServer(address));
  resolution_ = std::move(resolution);
  if (resolver_ != nullptr) loop_.Post([this] { resolver_->Tell(); });
  Run();
}

void Fleet::FailToResolve(absl::Status why) {
  resolution_ = std::move(why);
  if (resolver_ != nullptr) loop_.Post([this] { resolver_->Tell(); });
  Run();
}

Task<void> Fleet::WaitForEnd(Fleet& fleet, CallOptions options) {
  bench::Payload request;
  const OutgoingMessage message = wire::Outgoing(request);
  auto call = std::make_shared<ClientCall>(fleet.core_, fleet.loop_, MethodSpec{"/bench.Echo/Unary", CallKind::kUnary},
                                           options, &message, fleet.loop_.Now());
  call->Start();
  absl::StatusOr<bench::Payload> reply = co_await ReplyOperation<bench::Payload>(*call);
  fleet.Log(Line(reply.status()));
}

void Fleet::Call(const CallOptions& options) {
  loop_.Post([this, options] { Spawn(WaitForEnd(*this, options)); });
  Run();
}

void Fleet::Connect() {
  loop_.Post([this] { core_->Connect(); });
  Run();
}

void Fleet::Run() {
  for (bool more = true; more;) {
    more = loop_.RunUntilIdle() > 0;
    for (size_t i = 0; i < peers_.size(); ++i) more |= Pump(*peers_[i]);
  }
}

// Timer by timer, so that the servers answer in between.
void Fleet::Advance(std::chrono::milliseconds by) {
  for (; by.count() > 0; --by) {
    loop_.Advance(std::chrono::milliseconds(1));
    Run();
  }
}

bool Fleet::Pump(Peer& peer) {
  const auto write = [&peer](const std::string& bytes) {
    const std::string_view view = bytes;
    peer.stream->Write(std::span(&view, 1));
  };
  std::vector<char> buffer(64 * 1024);
  const transport::IoResult result = peer.stream->Read(buffer);
  if (result.kind != transport::IoResult::Kind::kDone) return false;
  const Server server = servers_[peer.address];
  if (server != kMute && !std::exchange(peer.greeted, true)) {
    std::string greeting = "SETTINGS " + settings_ + "\nSETTINGS ACK";
    if (server == kDeparts) greeting += "\nGOAWAY last=0 NO_ERROR";
    if (server == kExpels) greeting += "\nGOAWAY last=0 ENHANCE_YOUR_CALM";
    write(Frames(greeting));
  }
  std::vector<std::string> lines;
  peer.decoder.Feed({buffer.data(), result.bytes}, &lines);
  for (const std::string& line : lines) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    int stream_id = 0;
    if (words.size() < 2 || !absl::SimpleAtoi(words[1], &stream_id)) continue;
    const bool watch = absl::StrContains(line, "/grpc.health.v1.Health/Watch");
    if (watch) peer.watch = stream_id;
    if (words[0] == "HEADERS") Log((watch ? "watch at " : "call at ") + peer.address);
    if (words[0] != "DATA" || !absl::StrContains(line, "END_STREAM")) continue;
    if (stream_id == peer.watch) continue;
    if (servers_[peer.address] == kAnswers) {
      Answer(peer, stream_id);
    } else if (servers_[peer.address] == kFails) {
      write(Frames(
          absl::StrCat("HEADERS ", stream_id, " END_STREAM :status=200 content-type=application/grpc grpc-status=13")));
    } else {
      peer.held.push_back(stream_id);
    }
  }
  return true;
}

void Fleet::Answer(Peer& peer, int stream_id) {
  const std::string bytes =
      Frames(ResponseHead(stream_id) + "\n" + Data(stream_id, Message("")) + "\n" + Trailers(stream_id));
  const std::string_view view = bytes;
  peer.stream->Write(std::span(&view, 1));
}

void Fleet::Close(const std::string& address) {
  for (const auto& peer : peers_) {
    if (peer->address == address) peer->stream->ShutdownWrite();
  }
  Run();
}

void Fleet::Send(const std::string& address, const std::string& frames) {
  const std::string bytes = Frames(frames);
  const std::string_view view = bytes;
  for (const auto& peer : peers_) {
    if (peer->address != address) continue;
    peer->greeted = true;
    peer->stream->Write(std::span(&view, 1));
  }
  Run();
}

void Fleet::AnswerHeld(const std::string& address) {
  for (const auto& peer : peers_) {
    if (peer->address != address) continue;
    for (const int stream_id : std::exchange(peer->held, {})) Answer(*peer, stream_id);
  }
  Run();
}

std::map<std::string, int> Fleet::TakeShares() {
  std::map<std::string, int> shares;
  for (const std::string& line : TakeLog()) {
    const size_t at = line.find("call at ");
    if (at != std::string::npos) ++shares[line.substr(at + 8)];
  }
  return shares;
}

}  // namespace weir::testing
