// Rig: a channel to "greeter:50051" whose calls go wrong: a scripted server at 10.0.0.7:50051, time that moves when
// told, and the statuses with which the calls ended.
//
//   Rig rig;
//   rig.Unary();
//   rig.Settings();                     // the connection is there, the call is under way
//   rig.Peer("RST_STREAM 1 CANCEL");
//   rig.TakeEnds();                     // one status for each call that has ended, in their order
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/client_operations.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/task.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/dns.h"
#include "weir/transport/io/memory_stream.h"

namespace weir::testing {

class Rig {
 public:
  explicit Rig(ChannelOptions options = {});
  // A channel to something else, without a scripted server. `lookup` takes the place of the system's resolver.
  using Lookup = decltype(transport::ResolverOptions::lookup);
  explicit Rig(std::string_view target, Lookup lookup = nullptr);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // Starts a call of hello.Greeter, and waits for its end.
  void Unary(const CallOptions& options = CallOptions());
  void ServerStream(const CallOptions& options = CallOptions());
  void CancelLast();
  // Waits until the lookup has answered, on its thread, and the call has been told.
  void Resolved();

  // The server's first frame, a millisecond after it was connected to.
  void Settings(const std::string& settings = "");
  // It sends frames, or bytes; it closes; the network breaks the connection.
  void Peer(const std::string& frames);
  void PeerBytes(std::string_view bytes);
  void PeerCloses();
  void Lose();
  void Advance(std::chrono::nanoseconds by) { loop_.Advance(by); }
  void CloseChannel();

  std::vector<absl::Status> TakeEnds() { return std::exchange(ends_, {}); }

 private:
  class Source;

  std::shared_ptr<ClientCall> Start(const MethodSpec& method, const CallOptions& options);
  static Task<void> WaitForReply(Rig& rig, std::shared_ptr<ClientCall> call);
  static Task<void> WaitForEnd(Rig& rig, std::shared_ptr<ClientCall> call);

  FakeLoop loop_;
  std::unique_ptr<transport::MemoryStream> peer_;
  transport::MemoryStream* local_ = nullptr;  // the channel's end
  std::shared_ptr<ChannelCore> core_;
  std::weak_ptr<ClientCall> last_;
  std::vector<absl::Status> ends_;
};

}  // namespace weir::testing
