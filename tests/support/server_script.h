// ServerScript: a CallScript of a ServerConnection that serves bench.Echo by handlers of the test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/handler_queue.h"
#include "weir/rpc/server/server_connection.h"
#include "weir/rpc/server/server_options.h"
#include "weir/tests/support/call_script.h"

namespace weir::testing {

class ServerWorld;

// Options of a server whose connections may be idle for ever; and of one that does not look at them, either.
weir::ServerOptions LongLived();
weir::ServerOptions Undisturbed();

// One coroutine function for each kind of method. What is not set answers UNIMPLEMENTED.
struct Handlers {
  Task<absl::StatusOr<bench::Payload>> (*unary)(ServerWorld&, ServerContext&, const bench::Payload&) = nullptr;
  Task<absl::Status> (*server_stream)(ServerWorld&, ServerContext&, const bench::StreamRequest&,
                                      Writer<bench::Payload>&) = nullptr;
  Task<absl::StatusOr<bench::Summary>> (*client_stream)(ServerWorld&, ServerContext&,
                                                        Reader<bench::Payload>&) = nullptr;
  Task<absl::Status> (*bidi)(ServerWorld&, ServerContext&, Reader<bench::Payload>&, Writer<bench::Payload>&) = nullptr;
};

// The worker threads of a server, as far as a script lets them run.
class HeldWorkers final : public transport::Executor {
 public:
  void Post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  // What is posted now; false if there was nothing.
  bool Run();
  size_t posted() const { return posted_.size(); }

 private:
  std::vector<std::function<void()>> posted_;
};

class ServerWorld final : public CallWorld, private ServerConnectionOwner {
 public:
  ServerWorld(const Handlers& handlers, const weir::ServerOptions& options);
  ~ServerWorld() override;

  void Start() override;
  std::vector<std::string> Leftovers() const override;

  // Null once it has gone.
  ServerConnection* connection() { return connection_.get(); }
  // Of a server with ServerOptions::worker_threads: they run until there is nothing left to do for them.
  void Work();

  // Times of the client that were over.
  const std::vector<Timeout>& timeouts() const { return timeouts_; }
  // Limits that the client went beyond.
  const std::vector<transport::H2Limit>& limits() const { return limits_; }

 private:
  class TestService;
  void OnConnectionGone(ServerConnection& connection) override;
  void OnTimeout(Timeout which, size_t times) override { timeouts_.insert(timeouts_.end(), times, which); }
  void OnLimit(transport::H2Limit which) override { limits_.push_back(which); }

  const weir::ServerOptions options_;
  const std::unique_ptr<TestService> service_;
  Dispatcher dispatcher_;
  HeldWorkers workers_;
  HandlerQueue handler_queue_{workers_, QueuedHandlersMax(options_)};
  std::unique_ptr<ServerConnection> connection_;
  std::vector<Timeout> timeouts_;
  std::vector<transport::H2Limit> limits_;
};

class ServerScript final : public CallScript<ServerScript, ServerWorld> {
 public:
  explicit ServerScript(weir::ServerOptions options = {}) : options_(std::move(options)) {}

  template <class Handler>
  ServerScript& Unary(Handler handler) {
    handlers_.unary = handler;
    return *this;
  }
  template <class Handler>
  ServerScript& ServerStream(Handler handler) {
    handlers_.server_stream = handler;
    return *this;
  }
  template <class Handler>
  ServerScript& ClientStream(Handler handler) {
    handlers_.client_stream = handler;
    return *this;
  }
  template <class Handler>
  ServerScript& Bidi(Handler handler) {
    handlers_.bidi = handler;
    return *this;
  }

  // The connection is accepted; the client has said nothing yet.
  ServerScript& Start() {
    return Add("start", [](ServerWorld& w, Cuts*) { w.Start(); });
  }
  // Prefaces, the client's `settings`, and both ACKs; not seen by expectations.
  ServerScript& Handshake(const std::string& settings = "") {
    return Start().Peer("PREFACE\nSETTINGS " + settings + "\nSETTINGS ACK").Drop();
  }
  ServerScript& BeginDrain() {
    return Do([](ServerWorld& w) { w.connection()->BeginDrain(); });
  }
  // The first GOAWAY of a drain and its PING have been written; the client answers.
  ServerScript& ExpectFirstGoAwayAndAnswer();
  ServerScript& Stop() {
    return Do([](ServerWorld& w) { w.connection()->Stop(absl::UnavailableError("the server is shutting down")); });
  }

  ServerScript& Work() {
    return Add("workers work", [](ServerWorld& w, Cuts*) { w.Work(); });
  }

  // Of the client's times these were over, since the beginning.
  ServerScript& ExpectTimeouts(const std::vector<Timeout>& timeouts) {
    return Add("expect timeouts",
               [timeouts](ServerWorld& w, Cuts*) { ExpectLines(Names(timeouts), Names(w.timeouts())); });
  }
  // The client went beyond these limits.
  ServerScript& ExpectLimits(const std::vector<transport::H2Limit>& limits) {
    return Add("expect limits", [limits](ServerWorld& w, Cuts*) { ExpectLines(Names(limits), Names(w.limits())); });
  }

  std::unique_ptr<ServerWorld> MakeWorld() { return std::make_unique<ServerWorld>(handlers_, options_); }

 private:
  template <class Which>
  static Lines Names(const std::vector<Which>& all) {
    Lines names;
    for (const Which which : all) names.emplace_back(ToString(which));
    return names;
  }

  weir::ServerOptions options_;
  Handlers handlers_;
};

}  // namespace weir::testing
