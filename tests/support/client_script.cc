#include "weir/tests/support/client_script.h"

#include "absl/strings/str_cat.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/target.h"

namespace weir::testing {
namespace {

// A target that cannot be connected to, without asking any network: the connection is adopted.
constexpr char kTarget[] = "unix:/nowhere/to/be/found";

ChannelOptions WithAuthority(ChannelOptions options) {
  options.authority = "test";
  options.idle_timeout = absl::InfiniteDuration();  // no timer but those of the test
  return options;
}

MethodSpec SpecOf(std::string_view method) {
  for (const MethodSpec& spec : {bench::EchoService::kUnary, bench::EchoService::kServerStream,
                                 bench::EchoService::kClientStream, bench::EchoService::kBidiEcho}) {
    if (spec.path == absl::StrCat("/bench.Echo/", std::string(method))) return spec;
  }
  return MethodSpec{};
}

}  // namespace

std::string RequestLine(int stream_id, std::string_view method) {
  return absl::StrCat("HEADERS ", stream_id, " :method=POST :scheme=http :path=/bench.Echo/", std::string(method),
                      " :authority=test te=trailers...");
}

ClientWorld::ClientWorld(const ChannelOptions& options, uint32_t first_stream_id)
    : CallWorld(transport::Role::kClient),
      first_stream_id_(first_stream_id),
      core_(std::make_shared<ChannelCore>(loop_, kTarget, Target::Parse(kTarget), WithAuthority(options))) {}

ClientWorld::~ClientWorld() {
  OnLoop([this] { core_->Shutdown(); });
  OnLoop([this] { core_->DropConnections(); });
  OnLoop([this] { SetAllSignals(); });
}

void ClientWorld::Start() {
  OnLoop([this] { core_->Adopt(TakeStream(), first_stream_id_); });
}

TestCall ClientWorld::Call(std::string_view method, std::string_view request, const CallOptions& options) {
  bench::Payload payload;
  payload.set_body(std::string(request));
  const OutgoingMessage message = wire::Outgoing(payload);
  return Make(method, options, &message);
}

TestCall ClientWorld::Open(std::string_view method, const CallOptions& options) {
  return Make(method, options, nullptr);
}

TestCall ClientWorld::Make(std::string_view method, const CallOptions& options, const OutgoingMessage* request) {
  auto call = std::make_shared<ClientCall>(core_, loop_, SpecOf(method), options, request, clock_.Now());
  calls_.push_back(call);
  call->Start();
  return TestCall(std::move(call));
}

std::vector<std::string> ClientWorld::Leftovers() const {
  std::vector<std::string> left;
  const auto count = [&left](std::string_view what, size_t number) {
    if (number != 0) left.push_back(absl::StrCat(std::string(what), ": ", number));
  };
  size_t calls = 0;
  for (const auto& call : calls_) calls += call.expired() ? 0 : 1;
  count("calls", calls);
  count("waiting", core_->waiting_count());
  count("streams", core_->stream_count());
  count("ended streams", core_->ended_stream_count());
  count("buffered bytes", core_->buffered_bytes());
  count("timers", loop_.timers());
  count("posted", loop_.posted());
  return left;
}

}  // namespace weir::testing
