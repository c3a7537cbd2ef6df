// Fleet: a channel to several servers, each of which answers, refuses or is silent as the test says; addresses that
// change when the test says so; and time that it moves. What happened is a log.
//
//   Fleet fleet;
//   fleet.server("10.0.0.1:1") = Fleet::kRefuses;
//   fleet.Resolve({"10.0.0.1:1", "10.0.0.2:1"});       // what the resolver finds, now and from now on
//   fleet.Call();
//   EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms connect 10.0.0.2:1",
//                                            "0ms call at 10.0.0.2:1", "0ms OK"));
//
// Resolver and policies use the public interfaces; below them everything is real but the sockets.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/connector.h"
#include "weir/rpc/client/name_resolver.h"
#include "weir/rpc/core/task.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::testing {

class Fleet {
 public:
  enum Server {
    kAnswers,  // every call, at once
    kFails,    // every call, at once, with INTERNAL
    kHolds,    // takes calls and does not answer
    kMute,     // accepts connections and sends no SETTINGS
    kDeparts,  // sends GOAWAY right behind its SETTINGS, NO_ERROR
    kExpels,   // the same, ENHANCE_YOUR_CALM
    kRefuses,  // connections, at once
    kSilent,   // does not answer the attempt to connect
  };

  explicit Fleet(ChannelOptions options = {});
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  Server& server(const std::string& address) { return servers_[address]; }
  // Of the servers' SETTINGS, "MAX_CONCURRENT_STREAMS=1".
  void set_settings(std::string settings) { settings_ = std::move(settings); }

  // "10.0.0.1:1", or "10.0.0.1:1 3" with a weight.
  void Resolve(const std::vector<std::string>& addresses,
               ServiceConfigResult config = std::shared_ptr<const ServiceConfig>());
  void FailToResolve(absl::Status why);

  // Makes a call, and logs its end.
  void Call(const CallOptions& options = CallOptions());
  void Calls(int count) {
    for (int i = 0; i < count; ++i) Call();
  }
  // The servers of this address close their connections; or say first what `frames` say; or answer what they hold.
  void Close(const std::string& address);
  void Send(const std::string& address, const std::string& frames);
  void AnswerHeld(const std::string& address);

  void Advance(std::chrono::milliseconds by);
  void Connect();
  ChannelCore& core() { return *core_; }
  FakeLoop& loop() { return loop_; }

  std::vector<std::string> TakeLog() { return std::exchange(log_, {}); }
  // How many calls each server of the log got: {"10.0.0.1:1", 3}, ...; the log is taken.
  std::map<std::string, int> TakeShares();

 private:
  class Network;
  class Resolver;
  struct Peer;

  void Log(std::string_view line);
  void Run();
  bool Pump(Peer& peer);
  void Answer(Peer& peer, int stream_id);
  static Task<void> WaitForEnd(Fleet& fleet, CallOptions options);

  FakeLoop loop_;
  std::map<std::string, Server> servers_;
  std::string settings_;
  absl::StatusOr<Resolution> resolution_ = absl::UnavailableError("nothing is known");
  Resolver* resolver_ = nullptr;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::string> log_;
  std::shared_ptr<ChannelCore> core_;
};

}  // namespace weir::testing
