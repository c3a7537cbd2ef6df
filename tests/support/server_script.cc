#include "weir/tests/support/server_script.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace weir::testing {

class ServerWorld::TestService final : public bench::EchoService {
 public:
  TestService(ServerWorld& world, const Handlers& handlers) : world_(world), handlers_(handlers) {}

  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload& request) override {
    return handlers_.unary ? handlers_.unary(world_, context, request) : EchoService::Unary(context, request);
  }
  Task<absl::Status> ServerStream(ServerContext& context, const bench::StreamRequest& request,
                                  Writer<bench::Payload>& writer) override {
    return handlers_.server_stream ? handlers_.server_stream(world_, context, request, writer)
                                   : EchoService::ServerStream(context, request, writer);
  }
  Task<absl::StatusOr<bench::Summary>> ClientStream(ServerContext& context, Reader<bench::Payload>& reader) override {
    return handlers_.client_stream ? handlers_.client_stream(world_, context, reader)
                                   : EchoService::ClientStream(context, reader);
  }
  Task<absl::Status> BidiEcho(ServerContext& context, Reader<bench::Payload>& reader,
                              Writer<bench::Payload>& writer) override {
    return handlers_.bidi ? handlers_.bidi(world_, context, reader, writer)
                          : EchoService::BidiEcho(context, reader, writer);
  }

 private:
  ServerWorld& world_;
  const Handlers handlers_;
};

weir::ServerOptions LongLived() {
  weir::ServerOptions options;
  options.connection.max_idle = absl::InfiniteDuration();
  return options;
}

weir::ServerOptions Undisturbed() {
  weir::ServerOptions options = LongLived();
  options.connection.keepalive.time = absl::InfiniteDuration();
  options.connection.message_timeout = absl::InfiniteDuration();
  return options;
}

ServerWorld::ServerWorld(const Handlers& handlers, const weir::ServerOptions& options)
    : CallWorld(transport::Role::kServer), options_(options), service_(std::make_unique<TestService>(*this, handlers)) {
  dispatcher_.Add(*service_).IgnoreError();
}

ServerWorld::~ServerWorld() = default;

void ServerWorld::Start() {
  ServerConnectionOwner& owner = *this;
  HandlerQueue* const workers = options_.worker_threads > 0 ? &handler_queue_ : nullptr;
  connection_ = std::make_unique<ServerConnection>(loop_, workers, dispatcher_, options_, owner, TakeStream(), "s1");
  OnLoop([this] {
    if (absl::Status started = connection_->Start(); !started.ok()) Log("not started: " + Line(started));
  });
}

bool HeldWorkers::Run() {
  const std::vector<std::function<void()>> work = std::exchange(posted_, {});
  const Scope scope(this);
  for (const std::function<void()>& one : work) one();
  return !work.empty();
}

void ServerWorld::Work() {
  while (workers_.Run()) loop_.RunUntilIdle();
}

void ServerWorld::OnConnectionGone(ServerConnection&) {
  Log("connection gone");
  connection_.reset();
}

std::vector<std::string> ServerWorld::Leftovers() const {
  std::vector<std::string> left;
  const auto count = [&left](std::string_view what, size_t number) {
    if (number != 0) left.push_back(absl::StrCat(std::string(what), ": ", number));
  };
  if (connection_ != nullptr) {
    count("handlers", connection_->handler_count());
    count("streams", connection_->stream_count());
    count("ended streams", connection_->ended_stream_count());
    count("buffered bytes", connection_->buffered_bytes());
  }
  count("timers", loop_.timers() - (connection_ != nullptr && connection_->is_timed() ? 1 : 0));
  count("posted", loop_.posted() + workers_.posted());
  return left;
}

ServerScript& ServerScript::ExpectFirstGoAwayAndAnswer() {
  return Add("expect GOAWAY, answer PING", [](ServerWorld& w, Cuts* cuts) {
    const Lines written = w.TakeWritten();
    ExpectLines({"GOAWAY last=2147483647 NO_ERROR", "PING ..."}, written);
    if (written.size() == 2) w.Receive(Frames("PING ACK " + written[1].substr(5)), cuts);
  });
}

}  // namespace weir::testing
